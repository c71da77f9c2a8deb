/** A real Envoy, with the files that are deployed and the arguments that the Deployment gives it. */
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";
import type { Host } from "./network.ts";
import { requireProgram } from "./programs.ts";
import { ROOT } from "./worker-process.ts";

/** The release that runs: test/support/ci-tools.sh gets it, k8s/base/envoy/deployment.yaml names it. */
const VERSION = "1.40.0";
const PROGRAM = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), `gantry/envoy-${VERSION}`);
/** The folder of the files that are deployed. */
export const DEPLOYED = join(ROOT, "k8s/base/envoy");

export const needsEnvoy = () => requireProgram(PROGRAM, "bash test/support/ci-tools.sh downloads it");

export interface Envoy extends AsyncDisposable {
  /** Where it is called: `10.213.0.10:8080`. */
  readonly address: string;
  /** Its access log until now. */
  readonly calls: readonly AccessLine[];
  /** The first line of its access log for which this holds, whether it has come or is still to come. */
  logged(holds: (line: AccessLine) => boolean): Promise<AccessLine>;
  /** What it said on stderr. */
  readonly errors: readonly string[];
  /** The text of a page, such as `8081/healthz`. */
  page(portAndPath: string): Promise<string>;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
}

/** A line of the access log. */
export type AccessLine = Readonly<Record<string, string | number | null>>;

export interface EnvoyOptions {
  /** Default: those of the Deployment. */
  readonly args?: readonly string[];
  /** Files in /etc/envoy-tls. */
  readonly tls?: Readonly<Record<string, string>>;
}

/** Runs Envoy on a host as its container does; resolves when it serves. */
export async function startEnvoy(host: Host, { args, tls = {} }: EnvoyOptions = {}): Promise<Envoy> {
  const etc = await etcOf(DEPLOYED, { "resolv.conf": host.resolvConf, ...inFolder("envoy-tls", tls) });
  const [command = "", ...first] = [...host.within, ...withEtc(etc), PROGRAM];
  const child = spawn(command, [...first, ...(args ?? (await deployedArgs()))], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const calls: AccessLine[] = [];
  const errors: string[] = [];
  const arrivals = new EventEmitter<{ line: [AccessLine] }>().setMaxListeners(0);
  createInterface(child.stdout).on("line", (text) => {
    const line: AccessLine = JSON.parse(text);
    calls.push(line);
    arrivals.emit("line", line);
  });
  createInterface(child.stderr).on("line", (text) => errors.push(text));
  const exited = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  let ended = false;
  void exited.then(() => {
    ended = true;
  });

  const page = async (portAndPath: string) => {
    const [port = "", ...path] = portAndPath.split("/");
    const response = await fetch(`http://${host.address}:${port}/${path.join("/")}`);
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return response.text();
  };
  const dispose = async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(etc, { recursive: true });
  };
  for (let serves = false; !serves; ) {
    if (ended) {
      await dispose();
      throw new Error(`Envoy did not start:\n${errors.join("\n")}`);
    }
    // There is nothing to wait on but the answer.
    serves = await page("8081/healthz").then(
      () => true,
      () => false,
    );
  }
  return {
    address: `${host.address}:8080`,
    calls,
    errors,
    page,
    exited,
    signal: (name) => void child.kill(name),
    async logged(holds) {
      for (;;) {
        const found = calls.find(holds);
        if (found) return found;
        await once(arrivals, "line");
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Has Envoy look at a folder of files without running them. */
export async function validate(folder: string): Promise<{ exitCode: number | null; warnings: string[] }> {
  const etc = await etcOf(folder, {});
  const [command = "", ...first] = ["unshare", "--mount", ...withEtc(etc), PROGRAM, "--mode", "validate"];
  const child = spawn(command, [...first, ...(await deployedArgs())], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const warnings: string[] = [];
  createInterface(child.stderr).on("line", (line) => warnings.push(line));
  const [exitCode] = await once(child, "close");
  await rm(etc, { recursive: true });
  return { exitCode, warnings };
}

/**
 * What the container has in /etc: the files of the ConfigMap, and others.
 *
 * @param others where they are, by their paths in /etc
 */
async function etcOf(folder: string, others: Readonly<Record<string, string>>): Promise<string> {
  const etc = await mkdtemp(join(tmpdir(), "gantry-envoy-"));
  for (const name of ["envoy", "envoy-tls"]) await mkdir(join(etc, name));
  for (const file of await deployedFiles()) await copyFile(join(folder, file), join(etc, "envoy", file));
  for (const [to, from] of Object.entries(others)) await copyFile(from, join(etc, to));
  return etc;
}

function inFolder(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, path]) => [join(folder, name), path]));
}

/** Runs the command behind it with these files over those of this machine, for itself alone. */
function withEtc(etc: string): string[] {
  return ["sh", "-c", `mount -t overlay overlay -o lowerdir=${etc}:/etc /etc && exec "$@"`, "sh"];
}

/** What the Deployment starts Envoy with. */
async function deployedArgs(): Promise<readonly string[]> {
  const deployment = parse(await readFile(join(DEPLOYED, "deployment.yaml"), "utf8"));
  return deployment.spec.template.spec.containers[0].args;
}

/** The files of the ConfigMap that the container has as /etc/envoy. */
async function deployedFiles(): Promise<readonly string[]> {
  const kustomization = parse(await readFile(join(DEPLOYED, "kustomization.yaml"), "utf8"));
  return kustomization.configMapGenerator[0].files;
}
