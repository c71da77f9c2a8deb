import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../bootstrap.mjs";
import { bufCommand } from "../../generate.mjs";

/** A command line. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where it runs. Default: the root of the repository. */
  readonly cwd?: string;
}

export const biome = (...args: string[]): CommandLine => installed("biome", args);
export const tsc = (...args: string[]): CommandLine => installed("tsc", args);
export const buf = (...args: string[]): CommandLine => bufCommand(...args);
export const git = (...args: string[]): CommandLine => ({ command: "git", args });

function installed(name: string, args: string[]): CommandLine {
  return { command: join(root, "node_modules/.bin", name), args };
}

/** What a command printed, on both of its outputs, and its exit code. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a command and keeps what it prints. One that is not there, or is killed, has an exit code too. */
export function capture({ command, args, env, cwd = root }: CommandLine): Promise<Outcome> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.once("error", (error) => resolve({ exitCode: 1, output: error.message }));
    child.once("close", (code) => resolve({ exitCode: code ?? 1, output: output.trim() }));
  });
}

/**
 * Runs a command in this terminal and resolves with its exit code.
 *
 * @param timeoutMs when it is stopped with SIGTERM. Default: never.
 */
export function runHere(line: CommandLine & { readonly timeoutMs?: number }): Promise<number> {
  const { command, args, env, cwd = root, timeoutMs = 0 } = line;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit", timeout: timeoutMs });
    const passOn = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGINT", passOn).on("SIGTERM", passOn);
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", passOn).off("SIGTERM", passOn);
      resolve(code ?? 1);
    });
  });
}
