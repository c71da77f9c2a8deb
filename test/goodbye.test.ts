import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { HelloRequestSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import {
  framed,
  type RawAnswer,
  type RawSession,
  rawSession,
} from "../packages/worker/test/support/raw-http2.ts";
import { slowNetwork } from "./support/slow-network.ts";
import { startWorker } from "./support/worker-process.ts";

const CALLS_AT_ONCE = 20;

test("what was on its way to the worker when it said goodbye is answered, and nothing refused", async () => {
  await using worker = await startWorker("greeter");
  await using network = await slowNetwork(worker.address, 20);
  // HTTP/2 itself: a gRPC library would hide a refused call by calling again elsewhere.
  await using raw = rawSession(network.port);
  const goodbye = once(raw.session, "goaway");
  const loops = Array.from({ length: CALLS_AT_ONCE }, (_, index) => callUntil(goodbye, raw, index));
  const answered = await Promise.race(loops.map((loop) => loop.first));

  worker.signal("SIGTERM");
  const answers = (await Promise.all(loops.map((loop) => loop.all))).flat();
  const { code } = await worker.exited;

  assert.equal(answered.code, 0);
  assert.deepEqual(
    answers.filter((answer) => answer.code !== 0),
    [],
  );
  const calls = worker.logs.filter(({ msg }) => msg === "call");
  assert.equal(calls.length, answers.length);
  assert.equal(code, 0);
});

/** Calls again as soon as it is answered, until the worker says goodbye. */
function callUntil(goodbye: Promise<unknown>, raw: RawSession, index: number) {
  const { promise: first, resolve } = Promise.withResolvers<RawAnswer>();
  const name = `caller ${index}`;
  const body = framed(toBinary(HelloRequestSchema, create(HelloRequestSchema, { name })));
  const all = (async () => {
    let open = true;
    goodbye.then(() => {
      open = false;
    });
    const answers: RawAnswer[] = [];
    while (open) {
      const answer = await raw.call("/greeter.v1.Greeter/SayHello", body);
      answers.push(answer);
      resolve(answer);
    }
    return answers;
  })();
  return { first, all };
}
