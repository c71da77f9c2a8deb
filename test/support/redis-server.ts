/** A real Redis, for tests: started on a free port, killed and brought back on the same one. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { requireProgram } from "./programs.ts";

/** For tests that need one: `test("…", needsRedis, async () => …)`. */
export const needsRedis = requireProgram("redis-server", "apt-get install redis-server");

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:51234` */
  readonly address: string;
  /** Runs it again after `kill`. */
  start(): Promise<void>;
  /** Ends it at once, as a crash would. What it held is gone. */
  kill(): Promise<void>;
  /** Keeps it from doing anything, its connections stay open; `false` lets it go on. */
  hang(hangs: boolean): void;
  /** Runs a command, as `redis-cli` takes it; answers with its text. */
  command(...args: readonly string[]): Promise<string>;
}

export interface RedisOptions {
  /** Settings as `redis.conf` has them: `{ requirepass: "…" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What `redis-cli` needs beside the port: `["-a", "…"]`. */
  readonly cli?: readonly string[];
  /** Takes connections over TLS only; the files are settings. */
  readonly tls?: boolean;
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { settings = {}, cli = [], tls = false } = options;
  const directory = await mkdtemp(join(tmpdir(), "gantry-redis-"));
  const port = await freePort();
  const ports = tls ? { port: "0", "tls-port": `${port}` } : { port: `${port}` };
  const args = Object.entries({ ...ports, bind: "127.0.0.1", dir: directory, save: "", ...settings });
  let server: ChildProcess | undefined;

  const redis: RedisServer = {
    port,
    address: `127.0.0.1:${port}`,
    async start() {
      const started = spawn(
        "redis-server",
        args.flatMap(([name, value]) => [`--${name}`, value]),
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      server = started;
      const lines = createInterface(started.stdout);
      const ready = new Promise<void>((resolve, reject) => {
        lines.on("line", (line) => line.includes("Ready to accept connections") && resolve());
        lines.once("close", () => reject(new Error(`redis-server on port ${port} did not start.`)));
      });
      await ready;
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, "exit");
      server.kill("SIGKILL");
      await exited;
    },
    hang(hangs) {
      server?.kill(hangs ? "SIGSTOP" : "SIGCONT");
    },
    async command(...command) {
      const { stdout } = await promisify(execFile)("redis-cli", ["-p", `${port}`, ...cli, ...command]);
      return stdout.trim();
    },
    async [Symbol.asyncDispose]() {
      await redis.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}

/** Nodes of one cluster, each with a third of the slots. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = { "cluster-enabled": "yes", "cluster-node-timeout": "1000" };
  const nodes = await Promise.all([1, 2, 3].map(() => startRedis({ settings })));
  const addresses = nodes.map(({ address }) => address);
  await promisify(execFile)("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
  for (const node of nodes) {
    while (!(await node.command("cluster", "info")).includes("cluster_state:ok")) {
      // Nodes tell each other every 100 ms; there is nothing to wait on but the answer.
    }
  }
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()));
    },
  };
}
