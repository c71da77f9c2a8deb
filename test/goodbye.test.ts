import assert from "node:assert/strict";
import { once } from "node:events";
import { constants } from "node:http2";
import { test } from "node:test";
import { connect } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { HelloRequestSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import {
  framed,
  type RawAnswer,
  type RawSession,
  rawSession,
} from "../packages/worker/test/support/raw-http2.ts";
import { certificateFiles, createAuthority } from "./support/certificates.ts";
import { slowNetwork } from "./support/slow-network.ts";
import { startWorker, type WorkerProcess } from "./support/worker-process.ts";

const CALLS_AT_ONCE = 20;

test("what was on its way to the worker when it said goodbye is answered, and nothing refused", async () => {
  await using worker = await startWorker("greeter");
  await using network = await slowNetwork(worker.address, 20);
  // HTTP/2 itself: a gRPC library would hide a refused call by calling again elsewhere.
  await using raw = rawSession(network.port);
  const { answers, code } = await callThroughGoodbye(worker, raw);
  assert.deepEqual(
    answers.filter((answer) => answer.code !== 0),
    [],
  );
  assert.equal(callsLogged(worker), answers.length);
  assert.equal(code, 0);
});

test("over TLS what was on its way is refused as not begun, and all that was begun is answered", async () => {
  const authority = await createAuthority();
  const { cert, key } = await authority.issue({ names: ["IP:127.0.0.1"] });
  await using files = await certificateFiles({ cert, key });
  await using worker = await startWorker("greeter", {
    TLS_CERT: files.path("cert"),
    TLS_KEY: files.path("key"),
  });
  await using network = await slowNetwork(worker.address, 20);
  const options = { ca: authority.certificate, ALPNProtocols: ["h2"] };
  const socket = connect({ port: network.port, host: "127.0.0.1", ...options });
  await once(socket, "secureConnect");
  await using raw = rawSession(network.port, {}, socket);
  const { answers, code } = await callThroughGoodbye(worker, raw);
  const notAnswered = answers.filter((answer) => answer.code !== 0);
  assert.deepEqual(
    notAnswered.filter(({ resetCode }) => resetCode !== constants.NGHTTP2_REFUSED_STREAM),
    [],
  );
  assert.equal(callsLogged(worker), answers.length - notAnswered.length);
  assert.equal(code, 0);
});

/** Has the worker drain while it is called; what came back for each call, and how the worker ended. */
async function callThroughGoodbye(worker: WorkerProcess, raw: RawSession) {
  const goodbye = once(raw.session, "goaway");
  const loops = Array.from({ length: CALLS_AT_ONCE }, (_, index) => callUntil(goodbye, raw, index));
  const answered = await Promise.race(loops.map((loop) => loop.first));

  worker.signal("SIGTERM");
  const answers = (await Promise.all(loops.map((loop) => loop.all))).flat();
  const { code } = await worker.exited;
  assert.equal(answered.code, 0);
  return { answers, code };
}

function callsLogged(worker: WorkerProcess): number {
  return worker.logs.filter(({ msg }) => msg === "call").length;
}

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
