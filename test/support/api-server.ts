/** A real API server of Kubernetes, without nodes: it says of manifests whether a cluster would take them. */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { DEFINITIONS, needsKubectl, requireDefinitions, runToEnd, type Said } from "./kubernetes.ts";
import { builtProgram, optionalProgram } from "./programs.ts";

/** kubectl, and with `kube-apiserver` as its first argument the API server. */
const PROGRAM = builtProgram("kube-apiserver");

/** For tests of an API server that knows the custom resources. It is long in building, so CI does without. */
export function optionalApiServer(): { skip: string | false } {
  const needed = [
    optionalProgram(PROGRAM, "bash test/support/ci-tools.sh kube-apiserver builds it"),
    optionalProgram("etcd", "apt-get install etcd-server"),
    needsKubectl,
    requireDefinitions(),
  ];
  return needed.find(({ skip }) => skip !== false) ?? { skip: false };
}

export interface ApiServer extends AsyncDisposable {
  /** Runs kubectl against it. */
  kubectl(args: readonly string[], stdin?: string): Promise<Said>;
}

const TOKEN = "for-tests";

export async function startApiServer(): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), "gantry-kubernetes-"));
  const [etcdPort, port] = [await freePort(), await freePort()];
  const running: ChildProcess[] = [];
  const log: string[] = [];
  const run = (command: string, ...args: readonly string[]) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.setEncoding("utf8").on("data", (text: string) => log.push(text));
    running.push(child);
    return child;
  };
  const kubectl = (args: readonly string[], stdin = "") => {
    const server = [`--server=https://127.0.0.1:${port}`, `--token=${TOKEN}`, "--insecure-skip-tls-verify"];
    // What kubectl remembers of a server it keeps at home.
    return runToEnd(PROGRAM, [...server, ...args], stdin, { PATH: process.env.PATH, HOME: directory });
  };
  const dispose = async () => {
    for (const child of running.reverse()) {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await exited;
    }
    await rm(directory, { recursive: true, force: true });
  };

  try {
    const key = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const keyFile = join(directory, "service-account.key");
    await writeFile(keyFile, key.privateKey.export({ type: "pkcs1", format: "pem" }));
    const tokenFile = join(directory, "tokens.csv");
    await writeFile(tokenFile, `${TOKEN},tests,tests,system:masters\n`);
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const peers = `http://127.0.0.1:${etcdPort + 10_000}`;
    run(
      "etcd",
      ...["--data-dir", join(directory, "etcd"), "--unsafe-no-fsync"],
      ...["--listen-client-urls", etcd, "--advertise-client-urls", etcd],
      ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers],
      ...["--initial-cluster", `default=${peers}`],
    );
    const server = run(
      PROGRAM,
      "kube-apiserver",
      `--etcd-servers=${etcd}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${port}`,
      `--cert-dir=${join(directory, "certificates")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${keyFile}`,
      `--service-account-signing-key-file=${keyFile}`,
      `--token-auth-file=${tokenFile}`,
      "--authorization-mode=AlwaysAllow",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--endpoint-reconciler-type=none",
      // Nobody here would make the account that each pod is given by default.
      "--disable-admission-plugins=ServiceAccount",
    );
    // There is nothing to wait on but the answer.
    while ((await kubectl(["get", "--raw", "/readyz"])).code !== 0) {
      if (server.exitCode !== null) throw new Error(`kube-apiserver did not start:\n${log.join("")}`);
    }
    for (const args of [
      ["apply", "--server-side", "-f", DEFINITIONS],
      ["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"],
    ]) {
      const { code, stderr } = await kubectl(args);
      if (code !== 0) throw new Error(stderr);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { kubectl, [Symbol.asyncDispose]: dispose };
}
