/** A real API server of Kubernetes, without nodes: it says of manifests whether a cluster would take them. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { builtProgram, requireProgram } from "./programs.ts";
import { ROOT } from "./worker-process.ts";

/** kubectl, and with `kube-apiserver` as its first argument the API server. */
export const KUBECTL = builtProgram("kubernetes");

/** For tests that render manifests. */
export const needsKubectl = requireProgram(KUBECTL, "bash test/support/ci-tools.sh builds it");

/** The definitions of custom resources, as their projects publish them. They are not part of this repository. */
const DEFINITIONS = process.env.GANTRY_CRDS ?? join(ROOT, "../shared/crds");

/** For tests that need an API server that knows the custom resources. */
export function requireApiServer(): { skip: string | false } {
  const programs = [needsKubectl, requireProgram("etcd", "apt-get install etcd-server")];
  const missing = programs.find(({ skip }) => skip !== false);
  if (missing) return missing;
  if (existsSync(DEFINITIONS)) return { skip: false };
  const skip = `${DEFINITIONS} is not there: GANTRY_CRDS names a folder of CustomResourceDefinitions`;
  if (process.env.CI === "true") throw new Error(skip);
  return { skip };
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
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
    return runToEnd([...server, ...args], stdin, directory);
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
      KUBECTL,
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

function runToEnd(args: readonly string[], stdin: string, home: string): Promise<Said> {
  return new Promise((resolve) => {
    // What kubectl remembers of a server it keeps at home.
    const env = { PATH: process.env.PATH, HOME: home };
    const child = execFile(
      KUBECTL,
      args,
      { env, maxBuffer: 64 * 1_024 * 1_024 },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 1, stdout, stderr });
      },
    );
    child.stdin?.end(stdin);
  });
}
