import type { LocalConsole } from "./console.ts";
import type { LineSink } from "./worker-process.ts";

const EVERY_MS = 250;
const MOST_WAITING = 2_000;

/** Sends the lines of calls to the console too. Where it does not take them, they are shown here all the same. */
export function feedLines(
  { url, token }: NonNullable<LocalConsole["feed"]>,
  sinkFor: (name: string) => LineSink,
): (name: string) => LineSink {
  let waiting: string[] = [];
  let isPlanned = false;

  async function send(): Promise<void> {
    const body = waiting.join("\n");
    waiting = [];
    isPlanned = false;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
    try {
      const response = await fetch(`${url}/logs`, { method: "POST", body, headers });
      await response.arrayBuffer();
    } catch {
      // The gateway is not there yet, or not any more.
    }
  }

  return (name) => {
    const sink = sinkFor(name);
    return {
      ...sink,
      log(line) {
        sink.log(line);
        if (!line.includes('"trace_id"') || waiting.length >= MOST_WAITING) return;
        waiting.push(line);
        if (!isPlanned) setTimeout(send, EVERY_MS);
        isPlanned = true;
      },
    };
  };
}
