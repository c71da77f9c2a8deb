#!/usr/bin/env node
// `node packages/dev/run.mjs <command> …` is what npm's scripts run; `npx gantry <command> …` is the same. It works
// as the first command in a fresh clone: see bootstrap.mjs. Then it runs packages/dev/src/<command>.ts and ends as
// that ends.
//
// npm's scripts say `exec node …`: without it the signal that ends npm ends the shell between npm and this
// process, and this process would never hear of it.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { makeReady, root } from "./bootstrap.mjs";

/** One Ctrl-C comes from the terminal and, again, from npm. Within this time they are one. */
const SAME_SIGNAL_MS = 300;

const commands = join(root, "packages/dev/src");
const [name = "", ...args] = process.argv.slice(2);

if (/^[a-z-]+$/.test(name) && existsSync(join(commands, `${name}.ts`))) {
  try {
    run(await makeReady((line) => console.error(line)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
} else {
  const known = readdirSync(commands).filter((file) => file.endsWith(".ts"));
  const names = known.map((file) => file.slice(0, -".ts".length)).join(", ");
  console.error(`There is no command ${JSON.stringify(name)}. The commands are: ${names}.`);
  process.exitCode = 1;
}

/**
 * Runs the command in a session of its own: the terminal's Ctrl-C reaches this process and not that one, so
 * that it gets each signal once. The channel between them tells it when this process has gone.
 *
 * @param {string} node
 */
function run(node) {
  const path = [dirname(node), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const child = spawn(node, [join(commands, `${name}.ts`), ...args], {
    cwd: root,
    env: { INIT_CWD: process.cwd(), ...process.env, PATH: path },
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    detached: process.platform !== "win32",
  });

  let lastSignalAt = -Infinity;
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - lastSignalAt < SAME_SIGNAL_MS) return;
      lastSignalAt = now;
      // The terminal was closed: for the command that is a request to stop like any other.
      child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
    });
  }
  child.on("error", (error) => {
    console.error(
      `${node} could not be run (${error.message}): install Node.js 24 or newer from https://nodejs.org.`,
    );
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    sweep(child.pid);
    process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
  });
}

/**
 * Stops what the command has left behind in its session.
 *
 * @param {number | undefined} session
 */
function sweep(session) {
  if (session === undefined || process.platform === "win32") return;
  try {
    process.kill(-session, "SIGTERM");
  } catch {
    // Nothing was left.
  }
}
