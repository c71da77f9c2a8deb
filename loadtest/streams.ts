/** Chats that are open at the same time, speak now and then, and are ended by their clients. */
import { check } from "k6";
import { setTimeout } from "k6/timers";
import { OK } from "./lib/answers.ts";
import { streamsEnded, streamsOpened } from "./lib/metrics.ts";
import { once } from "./lib/plan.ts";
import { prepare } from "./lib/run.ts";

/** How often each chat speaks before it ends. */
const ROUNDS = 4;
/** Longest time to open all streams, or to end them. */
const SLACK_MS = 60_000;

const run = prepare({
  name: "streams",
  defaults: { connections: 10, durationMs: 30_000 },
  plan: ({ connections, durationMs }) => once(connections, durationMs + SLACK_MS),
  objectives: false,
  thresholds: ({ streams }) => ({
    streams_opened: [`count==${streams}`],
    streams_ended: [`count==${streams}`],
    checks: ["rate==1"],
  }),
});

export const { options, handleSummary } = run;

export default async function streams(): Promise<void> {
  const method = run.methods.find(({ name }) => name === "BidiHello");
  if (!method || run.settings.target === "rest") {
    throw new Error("streams opens greeter.v1.Greeter/BidiHello by gRPC: see SERVICES and TARGET.");
  }
  const { connections, durationMs } = run.settings;
  const mine = Math.ceil((run.settings.streams - __VU + 1) / connections);
  const opened = await Promise.all(Array.from({ length: mine }, () => run.open(method)));
  for (let round = 1; round <= ROUNDS; round += 1) {
    const answered = await Promise.all(
      opened.map((stream) => {
        stream.send({ name: "在吗?" });
        return stream.reply(round);
      }),
    );
    check(answered, { "every stream is answered": (all) => all.every((reply) => reply?.reply === "在!") });
    if (round === 1) streamsOpened.add(answered.filter((reply) => reply !== undefined).length);
    if (round < ROUNDS) await pause(durationMs / (ROUNDS - 1));
  }
  for (const stream of opened) stream.end();
  const answers = await Promise.all(opened.map(({ answer }) => answer));
  streamsEnded.add(answers.filter(({ code }) => code === OK).length);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(() => resolve(), ms));
