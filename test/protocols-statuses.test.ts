/** How calls end by every protocol, where the service, its time or the method is what they end with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Code, codeName } from "@gantry/rpc";
import { byAll, isAlike } from "./support/protocols/alike.ts";
import { CHAT, detail, failed, GREETINGS, HELLO, REPLIES } from "./support/protocols/rows.ts";
import { startWorkers, type Workers } from "./support/protocols/workers.ts";

/** Without deadlines of their own for what a test waits for. */
const PATIENT = `methods:
  ${HELLO}: { timeout: { default: 600s, max: 600s } }
  ${REPLIES}: { timeout: { default: 600s, max: 600s } }
`;

describe("every protocol tells alike how a call ended", () => {
  let workers: Workers;
  before(async () => {
    workers = await startWorkers({
      greeter: join(import.meta.dirname, "support/workers/outcomes.ts"),
      policies: { greeter: PATIENT, gateway: PATIENT },
    });
  });
  after(() => workers[Symbol.asyncDispose]());

  for (const code of Object.values(Code)) {
    if (code === Code.Ok) continue;
    const name = codeName(code);
    const words = `七米 has ${name}: 100 %.`;
    const details = [detail("ErrorInfo", { reason: "AS_TOLD", domain: "gantry.test", metadata: { name } })];
    test(name, () =>
      isAlike(workers.ways, { method: HELLO, requests: [{ name }] }, failed(name, words, details)),
    );
    test(`${name}, behind an answer`, async () => {
      const expected = failed(name, words, details, [{ reply: name }]);
      await isAlike(workers.ways, { method: REPLIES, requests: [{ name }] }, expected);
      await isAlike(workers.ways, { method: CHAT, requests: [{ name }] }, expected);
    });
  }

  test("a method that is not implemented", () =>
    isAlike(
      workers.ways,
      { method: GREETINGS, requests: [{ name: "a" }] },
      failed("UNIMPLEMENTED", `${GREETINGS} is not implemented here.`),
    ));

  test("a handler that breaks: its error is for the log, the caller gets a trace id", async () => {
    for (const method of [HELLO, REPLIES]) {
      const outcomes = await byAll(workers.ways, { method, requests: [{ name: "?" }] });
      for (const [title, { code, message, details }] of Object.entries(outcomes)) {
        assert.equal(code, "INTERNAL", title);
        assert.match(message, /^The service failed .* under trace id [0-9a-f]{32}\.$/, title);
        assert.deepEqual(details, [], title);
      }
    }
  });

  for (const [what, asked, replies] of [
    ["before its answer", { method: HELLO, requests: [{ name: "SLOW" }] }, []],
    ["behind a first answer", { method: REPLIES, requests: [{ name: "SLOW" }] }, [{ reply: "SLOW" }]],
  ] as const) {
    test(`the caller's deadline passes ${what}`, async () => {
      const outcomes = await byAll(workers.ways, { ...asked, timeoutMs: 1_000 });
      for (const [title, outcome] of Object.entries(outcomes)) {
        assert.equal(outcome.code, "DEADLINE_EXCEEDED", title);
        assert.deepEqual(outcome.replies, replies, title);
        // Nothing of where the worker is, whoever was the first to notice: the gateway, its client or the worker.
        assert.match(outcome.message, /^The call's deadline passed before (it|the (service|worker)) /, title);
      }
    });
  }

  test("a method that there is not is UNIMPLEMENTED; by REST a path that is nothing, by GraphQL no call", async () => {
    const outcomes = await byAll(workers.ways, {
      method: "greeter.v1.Greeter/NoSuch",
      requests: [{ name: "a" }],
    });
    for (const { title, name } of workers.ways) {
      const { code, httpStatus, message = "" } = outcomes[title] ?? {};
      if (name === "rest") assert.deepEqual([code, httpStatus], ["NOT_FOUND", 404], title);
      else if (name === "graphql") assert.match(message, /^Cannot query field "greeterNoSuch"/);
      else assert.equal(code, "UNIMPLEMENTED", title);
    }
  });

  test("streams both ways need HTTP/2: Connect and gRPC-Web, which come by HTTP/1.1, are answered 505", async () => {
    const { address } = workers.gateway;
    for (const type of ["application/connect+json", "application/grpc-web+json"]) {
      const answer = await fetch(`http://${address}/${CHAT}`, {
        method: "POST",
        headers: { "content-type": type },
        body: "",
      });
      assert.equal(answer.status, 505, type);
    }
  });
});
