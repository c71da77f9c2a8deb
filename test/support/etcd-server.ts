/** A real etcd, for tests: started on a free port, killed and brought back on the same one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "./free-port.ts";
import { connect, type Message, type PlainClient, serviceOf } from "./plain-client.ts";
import { requireProgram } from "./programs.ts";

/** For tests that need one: `test("…", needsEtcd, async () => …)`. */
export const needsEtcd = requireProgram("etcd", "apt-get install etcd-server");

export interface EtcdServer extends AsyncDisposable {
  readonly port: number;
  /** As `DISCOVERY` takes it: `etcd://127.0.0.1:51234`. */
  readonly address: string;
  /** Runs it again after `kill`. */
  start(): Promise<void>;
  /** Ends it at once, as a crash would; what it held is there again when it starts. */
  kill(): Promise<void>;
  /** Has it start without what it held. */
  loseData(): Promise<void>;
  /** Keeps it from doing anything, its connections stay open; `false` lets it go on. */
  hang(hangs: boolean): void;
  /** The keys that it holds, with their values. */
  entries(): Promise<Record<string, string>>;
  put(key: string, value: string): Promise<void>;
  remove(key: string): Promise<void>;
}

export interface EtcdOptions {
  /** More of `etcd`'s own options: `["--cert-file", "…"]`. */
  readonly options?: readonly string[];
  readonly scheme?: "http" | "https";
}

const PACKAGE = "etcd/api/etcdserverpb/rpc.proto";
const KV = serviceOf(PACKAGE, "etcdserverpb.KV");
/** From the first key to after the last. */
const ALL = { key: Buffer.from([0]), rangeEnd: Buffer.from([0]) };

export async function startEtcd({ options = [], scheme = "http" }: EtcdOptions = {}): Promise<EtcdServer> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-etcd-"));
  const port = await freePort();
  const clients = `${scheme}://127.0.0.1:${port}`;
  const peers = `http://127.0.0.1:${port + 10_000}`;
  const data = join(directory, "data");
  let server: ChildProcess | undefined;
  let client: PlainClient | undefined;

  const call = async (method: string, request: Message): Promise<Message> => {
    client ??= connect(`127.0.0.1:${port}`, KV);
    const { replies, details } = await client.call(method, request);
    if (!replies[0]) throw new Error(details);
    return replies[0];
  };

  const etcd: EtcdServer = {
    port,
    address: `etcd://127.0.0.1:${port}`,
    async start() {
      const started = spawn(
        "etcd",
        [
          ...["--data-dir", data, "--logger", "zap", "--log-outputs", "stderr"],
          ...["--listen-client-urls", clients, "--advertise-client-urls", clients],
          ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
          ...["--initial-cluster", `default=${peers}`, ...options],
        ],
        { stdio: ["ignore", "ignore", "pipe"] },
      );
      server = started;
      const log: string[] = [];
      const lines = createInterface(started.stderr);
      await new Promise<void>((resolve, reject) => {
        lines.on("line", (line) => {
          log.push(line);
          if (/serving (insecure )?client (traffic|requests)/.test(line)) resolve();
        });
        lines.once("close", () =>
          reject(new Error(`etcd on port ${port} did not start:\n${log.join("\n")}`)),
        );
      });
      log.length = 0;
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, "exit");
      server.kill("SIGKILL");
      await exited;
    },
    loseData: () => rm(data, { recursive: true, force: true }),
    hang(hangs) {
      server?.kill(hangs ? "SIGSTOP" : "SIGCONT");
    },
    async entries() {
      // The shape is that of its contract.
      const { kvs } = (await call("Range", ALL)) as { kvs: { key: Buffer; value: Buffer }[] };
      return Object.fromEntries(kvs.map(({ key, value }) => [`${key}`, `${value}`]));
    },
    async put(key, value) {
      await call("Put", { key: Buffer.from(key), value: Buffer.from(value) });
    },
    async remove(key) {
      await call("DeleteRange", { key: Buffer.from(key) });
    },
    async [Symbol.asyncDispose]() {
      client?.[Symbol.dispose]();
      await etcd.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await etcd.start();
  return etcd;
}
