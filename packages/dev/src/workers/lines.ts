import { prettyFactory } from "pino-pretty";
import type { LineSink } from "./worker-process.ts";

/** Shows the lines of several workers side by side: as they are, or on a terminal for people, by name. */
export function lineSinks(names: readonly string[]): (name: string) => LineSink {
  if (!process.stdout.isTTY) {
    return () => ({ log: (line) => console.log(line), error: (line) => console.error(line) });
  }
  const width = Math.max(...names.map((name) => name.length));
  const pretty = prettyFactory({
    colorize: true,
    singleLine: true,
    ignore: "worker,trace_id,span_id",
    messageKey: "msg",
  });
  return (name) => {
    const named = (text: string) => text.trimEnd().replaceAll(/^/gm, `${name.padEnd(width)} │ `);
    return {
      log: (line) => console.log(named(pretty(line) ?? line)),
      error: (line) => console.error(named(line)),
    };
  };
}
