import assert from "node:assert/strict";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { service as healthService } from "grpc-health-check";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { type Answer, connect, type OpenCall, type PlainClient, serviceOf } from "./support/plain-client.ts";
import { type LogLine, startWorker } from "./support/worker-process.ts";

const CONNECTIONS = 50;
/** Calls that each connection has under way at any time, beside its streams. */
const CALLS_AT_ONCE = 4;
/** As many answers show that the load is on. */
const WARM = 1_000;
const DRAIN_TIMEOUT_MS = 4_000;

/** Under load, quotas would be what refuses calls. */
const NO_QUOTAS = `methods:
  greeter.v1.Greeter/SayHello: { quotas: [] }
  greeter.v1.Greeter/LotsOfReplies: { quotas: [] }
  greeter.v1.Greeter/BidiHello: { quotas: [] }
`;

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

test("SIGTERM under load from 50 connections breaks no call that was accepted, and exits 0 in time", async () => {
  await using policy = await temporaryFile("no-quotas.yaml", NO_QUOTAS);
  await using worker = await startWorker("greeter", {
    POLICY_FILE: policy.path,
    DRAIN_TIMEOUT: `${DRAIN_TIMEOUT_MS}ms`,
    LOG_LEVEL: "debug",
  });
  const load = startLoad(worker.address);
  await load.warm;

  const signalledAt = performance.now();
  worker.signal("SIGTERM");
  const { code } = await worker.exited;
  const tookMs = performance.now() - signalledAt;
  const calls = await load.ended;

  assert.equal(code, 0);
  assert.ok(tookMs < DRAIN_TIMEOUT_MS, `the drain took ${Math.round(tookMs)} ms`);
  const [begun] = worker.logs.filter(({ msg }) => msg === "draining");
  assert.ok(Number(begun?.calls_in_flight) >= 3 * CONNECTIONS, `${begun?.calls_in_flight} calls in flight`);

  const broken = calls
    .filter((call) => outcomeOf(call) === "broken")
    .map(({ method, answer }) => [method, answer]);
  assert.deepEqual(broken, []);
  // What the clients saw is what the worker did: no call was handled whose client was told otherwise.
  assert.deepEqual(countsOf(calls), loggedCounts(worker.logs));

  const watches = calls.filter(({ method }) => method === "Watch");
  assert.equal(watches.length, CONNECTIONS);
  for (const { answer } of watches) {
    assert.deepEqual(answer.replies, [{ status: "SERVING" }, { status: "NOT_SERVING" }]);
    assert.equal(answer.details, "The worker is stopping.");
  }
  for (const { endless, answer } of calls) {
    if (endless) assert.equal(answer.details, NO_TIME_LEFT, "a stream that never ends is told of the drain");
  }
});

const NO_TIME_LEFT = "The worker is stopping and had no time left to finish the call.";

/** A call that is over, as its client saw it. */
interface Ended {
  readonly method: string;
  readonly answer: Answer;
  /** How many replies an OK has to come with. */
  readonly expected: number;
  readonly endless?: boolean;
}

function startLoad(address: string) {
  const { promise: warm, resolve } = Promise.withResolvers<void>();
  let answered = 0;
  const onAnswer = () => {
    answered += 1;
    if (answered === WARM) resolve();
  };
  const connections = Array.from({ length: CONNECTIONS }, (_, index) =>
    oneConnection(address, index, onAnswer),
  );
  return { warm, ended: Promise.all(connections).then((calls) => calls.flat()) };
}

/** Watches its worker's health, calls it without a pause, and ends its streams when the worker is to stop. */
async function oneConnection(address: string, index: number, onAnswer: () => void): Promise<Ended[]> {
  using client = connect(address, { ...greeter, ...healthService });
  const ended: Ended[] = [];
  const watch = client.open("Watch");
  watch.send({ service: "" });
  watch.end();
  await watch.next();
  const stopping = watch.next();

  const unary = Array.from({ length: CALLS_AT_ONCE - 1 }, () =>
    callOn(client, "SayHello", 1, ended, onAnswer),
  );
  const streams = callOn(client, "LotsOfReplies", 4, ended, onAnswer);
  const names = sendUntil(stopping, client.open("LotsOfGreetings"));
  const chat = chatUntil(stopping, client.open("BidiHello"));
  // One connection in five has a stream that its client never ends.
  const endless = index % 5 === 0 ? chatUntil(new Promise(() => {}), client.open("BidiHello")) : undefined;

  await Promise.all([...unary, streams]);
  ended.push({ method: "LotsOfGreetings", expected: 1, answer: await names });
  const { sent, answer } = await chat;
  ended.push({ method: "BidiHello", expected: sent, answer });
  if (endless)
    ended.push({ method: "BidiHello", expected: -1, endless: true, answer: (await endless).answer });
  ended.push({ method: "Watch", expected: 0, answer: await watch.answer });
  return ended;
}

/** Calls again and again until a call is not answered OK. */
async function callOn(
  client: PlainClient,
  method: string,
  expected: number,
  ended: Ended[],
  onAnswer: () => void,
): Promise<void> {
  for (;;) {
    const answer = await client.call(method, { name: "七米" });
    ended.push({ method, expected, answer });
    if (answer.code !== status.OK) return;
    onAnswer();
  }
}

async function sendUntil(stopping: Promise<unknown>, call: OpenCall): Promise<Answer> {
  call.send({ name: "七" });
  await stopping;
  call.send({ name: "米" });
  call.end();
  return call.answer;
}

/** Sends a message for each that comes back. */
async function chatUntil(
  stopping: Promise<unknown>,
  call: OpenCall,
): Promise<{ sent: number; answer: Answer }> {
  let open = true;
  stopping.then(() => {
    open = false;
  });
  let sent = 0;
  do {
    call.send({ name: "在吗?" });
    sent += 1;
  } while ((await call.next()) && open);
  call.end();
  return { sent, answer: await call.answer };
}

/** The one end that a call may have, other than these, is a broken one. */
function outcomeOf({ method, answer: { code, details, replies }, expected }: Ended): string {
  if (code === status.OK) return replies.length === expected ? "OK" : "broken";
  if (code !== status.UNAVAILABLE) return "broken";
  if (details === NO_TIME_LEFT || (method === "Watch" && details === "The worker is stopping."))
    return "UNAVAILABLE";
  // It found no worker any more to take it.
  return details.startsWith("No connection established") ? "not accepted" : "broken";
}

type Counts = Record<string, number>;

function countsOf(calls: readonly Ended[]): Counts {
  return count(
    calls
      .map((call) => `${call.method} ${outcomeOf(call)}`)
      .filter((outcome) => !outcome.endsWith("not accepted")),
  );
}

/** The same, as the worker's log has it. */
function loggedCounts(logs: readonly LogLine[]): Counts {
  return count(
    logs
      .filter(({ msg }) => msg === "call")
      .map(({ method, code }) => `${String(method).split("/")[1]} ${code}`),
  );
}

function count(names: readonly string[]): Counts {
  const counts: Counts = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
