// What has to be there before a command of this repository can run: the locked dependencies, the generated
// protobuf code, and a Node.js that runs TypeScript as it is. Plain JavaScript without a dependency, for it
// runs when nothing is installed yet, and on a Node.js that is older than the one that everything else needs.
import { spawn } from "node:child_process";
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The oldest Node.js that commands run on. */
const NODE_MAJOR = 24;
/** npm's package of an executable, for a system whose Node.js is older. Its own lock: others do not pay for it. */
const nodePackage = join(root, "packages/dev/node");
const lockFile = join(root, "packages/dev/.installing");
/** A lock that is older was left behind, whatever its process id has become since. */
const LOCK_STALE_MS = 15 * 60_000;
const LOCK_POLL_MS = 200;

/**
 * Makes everything ready and returns the path of the Node.js to run commands on. Where all is there it only
 * reads a few files. Others that start at the same time wait for the first one.
 *
 * @param {(line: string) => void} report Told what takes time, and why.
 * @throws Error with a sentence and npm's own output when npm fails.
 */
export async function makeReady(report) {
  if (!(await isReady())) {
    await withLock(lockFile, report, async () => {
      const installed = await Promise.allSettled([installDependencies(report), installNode(report)]);
      for (const result of installed) if (result.status === "rejected") throw result.reason;
      await generate(report);
    });
  }
  return nodePath();
}

async function isReady() {
  if (!isInstalled(root) || !(runsTypeScript(process.version) || isInstalled(nodePackage))) return false;
  const { generatedIsFresh } = await import("./generate.mjs");
  return generatedIsFresh();
}

/** @param {(line: string) => void} report */
async function installDependencies(report) {
  if (isInstalled(root)) return;
  report("Installing dependencies (once) …");
  await npmCi(root);
}

/** @param {(line: string) => void} report */
async function installNode(report) {
  if (runsTypeScript(process.version) || isInstalled(nodePackage)) return;
  report(`Installing a newer Node.js than ${process.version} for this repository (once) …`);
  await npmCi(nodePackage);
}

/** @param {(line: string) => void} report */
async function generate(report) {
  const { generatedIsFresh, generate } = await import("./generate.mjs");
  if (generatedIsFresh()) return;
  report("Generating the protobuf code …");
  generate();
}

/** @param {string} version Such as `v24.21.0`. */
export function runsTypeScript(version) {
  return Number.parseInt(version.replace(/^v/, ""), 10) >= NODE_MAJOR;
}

/** The Node.js to run commands on. npm installs one for this system only, and not every npm links it. */
function nodePath() {
  if (runsTypeScript(process.version)) return process.execPath;
  for (const [path, { bin }] of Object.entries(packagesOf(installedIn(nodePackage)))) {
    if (bin?.node) return join(nodePackage, path, bin.node);
  }
  throw new Error(
    `This repository runs on Node.js ${NODE_MAJOR} or newer, found ${process.version}, and npm has no executable ` +
      `for ${process.platform} on ${process.arch}: install Node.js ${NODE_MAJOR} from https://nodejs.org.`,
  );
}

/**
 * Whether what npm has installed in a directory is what its lock file asks for. npm writes its record of what
 * it installed last, so an installation that was cut off counts as none.
 *
 * @param {string} directory
 */
export function isInstalled(directory) {
  const record = installedIn(directory);
  if (!existsSync(record)) return false;
  const wanted = packagesOf(join(directory, "package-lock.json"));
  const installed = packagesOf(record);
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (!path.includes("node_modules/")) return true;
    const found = installed[path];
    if (!found) return Boolean(optional || devOptional);
    return found.version === version && found.integrity === integrity;
  });
}

/**
 * npm's record of what it has installed in a directory.
 *
 * @param {string} directory
 */
function installedIn(directory) {
  return join(directory, "node_modules/.package-lock.json");
}

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [devOptional]
 * @property {Record<string, string>} [bin]
 *
 * @param {string} file
 * @returns {Record<string, LockedPackage>}
 */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/**
 * Installs what a directory's lock file asks for. Nothing here needs the install scripts of packages, so they
 * do not run.
 *
 * @param {string} directory
 */
async function npmCi(directory) {
  const args = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const [command, ...first] = npmCommand(process.env.npm_execpath);
  const child = spawn(command, [...first, ...args], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  const stop = () => child.kill();
  process.on("SIGINT", stop).on("SIGTERM", stop);

  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const how = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === null ? `it was stopped by ${signal}` : code));
  });
  process.off("SIGINT", stop).off("SIGTERM", stop);
  if (how === 0) return;
  const reason = typeof how === "number" ? `it exited with ${how}` : how;
  throw new Error(`"npm ci" in ${directory} did not work: ${reason}.\n${output.trimEnd()}`);
}

/**
 * The npm that runs this command, else the one on the path.
 *
 * @param {string | undefined} execPath What npm says of itself; other package managers say theirs.
 * @returns {[string, ...string[]]}
 */
export function npmCommand(execPath) {
  if (execPath && /[\\/]npm-cli\.[cm]?js$/.test(execPath)) return [process.execPath, execPath];
  return [process.platform === "win32" ? "npm.cmd" : "npm"];
}

/**
 * Runs `work` while holding a lock file, so that two first commands do not install over each other.
 *
 * @param {string} file
 * @param {(line: string) => void} report
 * @param {() => Promise<void>} work
 */
export async function withLock(file, report, work) {
  for (let waiting = false; !takeLock(file); waiting = true) {
    if (!waiting) report(`Waiting for process ${holderOf(file) ?? "?"}, which is installing …`);
    await wait(LOCK_POLL_MS);
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * A link is made whole or not at all, so nobody ever reads a lock without its holder.
 *
 * @param {string} file
 */
function takeLock(file) {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    if (isStale(file)) renameSync(file, `${mine}.stale`);
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EEXIST" || error.code === "ENOENT"))
      return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
    rmSync(`${mine}.stale`, { force: true });
  }
}

/** @param {string} file */
function isStale(file) {
  const holder = holderOf(file);
  if (holder === undefined) return false;
  if (Date.now() - statSync(file).mtimeMs > LOCK_STALE_MS) return true;
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH";
  }
}

/** @param {string} file */
function holderOf(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
