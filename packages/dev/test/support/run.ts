import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../../bootstrap.mjs";

/** A program that runs. It is killed when the test is done with it. */
export interface Run extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it has printed so far, on both outputs. */
  readonly lines: readonly string[];
  /** Resolves with the first line, printed or still to come, that matches; rejects when it ends without one. */
  line(pattern: RegExp): Promise<string>;
  /** Resolves when it has ended and everything that it printed was read. */
  readonly exitCode: Promise<number | null>;
}

/** Runs a command as npm's scripts do. */
export function run(name: string, env: NodeJS.ProcessEnv, ...args: string[]): Run {
  return runProgram([process.execPath, join(root, "packages/dev/run.mjs"), name, ...args], env);
}

/** Runs a program in the root of the repository. */
export function runProgram([program, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Run {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const exitCode = once(child, "close").then(([code]: (number | null)[]) => code ?? null);
  return {
    process: child,
    lines,
    exitCode,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void exitCode.then((code) =>
          reject(new Error(`It ended with ${code} and printed:\n${lines.join("\n")}`)),
        );
      }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exitCode;
    },
  };
}

/** The status that a GET is answered with, or the code of the error where nobody answers. */
export function statusOf(url: string): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}
