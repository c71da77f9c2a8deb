import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { Contender } from "./contenders.ts";
import { pinned } from "./cores.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { firstReply } from "./first-reply.ts";

/** A server in a process of its own, fresh. */
export interface ServerProcess extends AsyncDisposable {
  readonly contender: Contender;
  readonly port: number;
  /** When its process was started, by `performance.now()`. */
  readonly startedAtMs: number;
  /** Resolves when it has answered its first call. @throws Error where it ended instead */
  answers(): Promise<void>;
  /** What it has used so far, with the one that stands behind it; undefined: it cannot be told here. */
  cpuTimeMs(): number | undefined;
}

/**
 * What it writes to stderr is shown: that is where a server says why it ended. The one behind it, if there is
 * one, is started first, and named by `UPSTREAM`.
 *
 * @param core the only core that it may use; undefined: any
 */
export async function startServer(contender: Contender, core: number | undefined): Promise<ServerProcess> {
  const behind = contender.behind && (await startServer(contender.behind, core));
  const upstream = behind && { UPSTREAM: `127.0.0.1:${behind.port}` };
  const port = await freePort();
  const [program = "", ...args] = pinned(core, contender.command);
  const env = { PATH: process.env.PATH, PORT: String(port), ...upstream, ...contender.env };

  const startedAtMs = performance.now();
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const gone = new AbortController();
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve())).then(() => {
    process.off("exit", kill);
    gone.abort(new Error(`The server "${contender.name}" ended, where it should have answered calls.`));
  });
  // A log that nobody reads would stop its writer.
  child.stdout.resume();
  await once(child, "spawn");

  return {
    contender,
    port,
    startedAtMs,
    async answers() {
      await behind?.answers();
      await firstReply(contender, port, gone.signal);
    },
    cpuTimeMs() {
      // It was spawned, so it has an id.
      const own = cpuTimeMs(child.pid ?? Number.NaN);
      const others = behind ? behind.cpuTimeMs() : 0;
      return own === undefined || others === undefined ? undefined : own + others;
    },
    async [Symbol.asyncDispose]() {
      kill();
      await exited;
      await behind?.[Symbol.asyncDispose]();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens by TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
