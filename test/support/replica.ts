/** A Greeter that runs as a process of its own, as one of several. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HelloRequestSchema, HelloResponseSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";

const MAIN = fileURLToPath(new URL("../../services/greeter/src/main.ts", import.meta.url));

export interface Replica extends AsyncDisposable {
  /** Greets; answers with the status of the call: `OK`. */
  greet(name: string): Promise<string>;
  /** The text of a page of the admin port. */
  page(path: string): Promise<string>;
  /** The value of one sample of `/metrics`, named as it stands there. */
  metric(sample: string): Promise<number>;
  /** Everything that it logged. */
  readonly lines: readonly LogLine[];
  /** The first line with this message; waits for it where none came yet. */
  logged(message: RegExp): Promise<LogLine>;
}

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Resolves when it serves. */
export async function startReplica(env: NodeJS.ProcessEnv): Promise<Replica> {
  const { child, lines, logged } = startGreeter(env);
  const { address, admin } = await logged(/^serving$/);
  const client = new Client(String(address), credentials.createInsecure());
  const page = async (path: string) => (await fetch(`${admin}${path}`)).text();
  return {
    lines,
    logged,
    page,
    greet: (name) =>
      new Promise((resolve) => {
        client.makeUnaryRequest(
          "/greeter.v1.Greeter/SayHello",
          (text: string) =>
            Buffer.from(toBinary(HelloRequestSchema, create(HelloRequestSchema, { name: text }))),
          (bytes) => fromBinary(HelloResponseSchema, bytes),
          name,
          (error: ServiceError | null) => resolve(status[error?.code ?? status.OK] ?? "none"),
        );
      }),
    async metric(sample) {
      const line = (await page("/metrics")).split("\n").find((each) => each.startsWith(`${sample} `));
      return Number(line?.slice(sample.length + 1));
    },
    async [Symbol.asyncDispose]() {
      client.close();
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** Runs a Greeter that is not meant to start. */
export async function failedStart(env: NodeJS.ProcessEnv): Promise<{ exitCode: number; stderr: string }> {
  const { child } = startGreeter(env, "pipe");
  let stderr = "";
  child.stderr?.on("data", (data) => {
    stderr += data;
  });
  const [exitCode] = await once(child, "close");
  return { exitCode, stderr };
}

function startGreeter(env: NodeJS.ProcessEnv, stderr: "inherit" | "pipe" = "inherit") {
  const child: ChildProcess = spawn(process.execPath, [MAIN], {
    env: { ...process.env, PORT: "0", ADMIN_PORT: "0", DRAIN_TIMEOUT: "2s", ...env },
    stdio: ["ignore", "pipe", stderr],
  });
  const lines: LogLine[] = [];
  const arrivals = new EventEmitter();
  if (child.stdout) {
    createInterface(child.stdout).on("line", (line) => {
      lines.push(JSON.parse(line));
      arrivals.emit("line");
    });
  }
  child.once("exit", (code) => arrivals.emit("error", new Error(`The greeter ended with ${code}.`)));
  // Nobody need wait for a line when it ends.
  arrivals.on("error", () => {});

  return {
    child,
    lines,
    async logged(message: RegExp) {
      for (;;) {
        const line = lines.find(({ msg }) => message.test(msg));
        if (line) return line;
        await once(arrivals, "line");
      }
    },
  };
}
