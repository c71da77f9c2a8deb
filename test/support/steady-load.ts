import type { Answer, PlainClient } from "./plain-client.ts";

/** Callers of a Greeter that call for as long as they are let. */
export interface SteadyLoad extends AsyncDisposable {
  /** Lets calls and streams come to their end; answers with how many there were, and those that failed. */
  stop(): Promise<{ readonly calls: number; readonly streams: number; readonly failures: readonly Answer[] }>;
}

const CALLERS = 4;
/** Between two calls of one caller, and two messages of one stream. */
const PAUSE_MS = 10;
const MESSAGES = 60;

/** Unary calls, and streams that are open for about a second, all the time. */
export function startLoad(client: PlainClient): SteadyLoad {
  const failures: Answer[] = [];
  let running = true;
  let calls = 0;
  let streams = 0;
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

  const call = async () => {
    while (running) {
      calls += 1;
      // Quotas are by name.
      const answer = await client.call("SayHello", { name: `caller ${calls}` });
      if (answer.code !== 0) failures.push(answer);
      await pause();
    }
  };
  const chat = async () => {
    while (running) {
      streams += 1;
      const stream = client.open("BidiHello");
      let replies = 0;
      for (let sent = 0; sent < MESSAGES; sent += 1) {
        stream.send({ name: "在吗?" });
        if ((await stream.next()) === undefined) break;
        replies += 1;
        await pause();
      }
      stream.end();
      const answer = await stream.answer;
      if (answer.code !== 0 || replies !== MESSAGES) failures.push(answer);
    }
  };
  const callers = Array.from({ length: CALLERS }, () => [call(), chat()]).flat();
  const stop = async () => {
    running = false;
    await Promise.all(callers);
    return { calls, streams, failures };
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
