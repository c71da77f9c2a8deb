import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { isLoopback } from "@gantry/rpc";

/** A worker that the console shows. */
export interface ShownWorker {
  readonly name: string;
  /** Where it serves gRPC: `127.0.0.1:50051`. */
  readonly target: string;
  /** Where its admin pages are: `http://127.0.0.1:9464`. */
  readonly admin: string;
}

export interface ConsoleSettings {
  /** `CONSOLE_PAGE`: the directory of the built page. Default: `console` beside the program. */
  readonly pageDirectory: string;
  /** `CONSOLE_WORKERS`: what it shows, as `greeter=127.0.0.1:50051=127.0.0.1:9464,…`. */
  readonly workers: readonly ShownWorker[];
  /** `CONSOLE_FEED_TOKEN`: who sends spans and log lines shows it. Undefined: none are taken. */
  readonly feedToken: string | undefined;
  /** Whether only names of this machine are answered, as nobody has to say who they are. */
  readonly localOnly: boolean;
}

/**
 * Reads the console's settings. Undefined: there is none, which is the default.
 *
 * @param problems gets a sentence for everything that is wrong
 */
export function readConsoleSettings(env: NodeJS.ProcessEnv, problems: string[]): ConsoleSettings | undefined {
  const { CONSOLE: asked = "off", HOST, AUTH_FILE } = env;
  if (asked === "off" || asked === "") return undefined;
  if (asked !== "on") {
    problems.push(`CONSOLE is ${JSON.stringify(asked)}: expected on or off.`);
    return undefined;
  }
  if (!AUTH_FILE && !isLoopback(HOST || "127.0.0.1")) {
    problems.push(
      `CONSOLE is on and HOST is ${JSON.stringify(HOST)}, which others reach: expected AUTH_FILE to say who may look.`,
    );
  }
  const pageDirectory = env.CONSOLE_PAGE || join(dirname(process.argv[1] ?? ""), "console");
  if (!existsSync(join(pageDirectory, "index.html"))) {
    problems.push(`CONSOLE is on, but CONSOLE_PAGE, ${JSON.stringify(pageDirectory)}, has no index.html.`);
  }
  const workers = (env.CONSOLE_WORKERS ?? "").split(",").flatMap((text) => {
    if (text === "") return [];
    const [, name, target, admin] = WORKER.exec(text) ?? [];
    if (name !== undefined && target !== undefined && admin !== undefined)
      return [{ name, target, admin: `http://${admin}` }];
    problems.push(
      `CONSOLE_WORKERS has ${JSON.stringify(text)}: expected a name, where it serves and where its admin port is, such as greeter=127.0.0.1:50051=127.0.0.1:9464.`,
    );
    return [];
  });
  if (new Set(workers.map(({ name }) => name)).size < workers.length) {
    problems.push("CONSOLE_WORKERS has a name twice: expected another name for each worker.");
  }
  return { pageDirectory, workers, feedToken: env.CONSOLE_FEED_TOKEN || undefined, localOnly: !AUTH_FILE };
}

const WORKER = /^([\w-]{1,64})=([^=\s]+)=([^=\s]+:\d+)$/;
