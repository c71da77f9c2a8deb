import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { statusIn } from "./support/error-details.ts";
import { connect, type PlainClient, serviceOf } from "./support/plain-client.ts";
import { ROOT, startWorker } from "./support/worker-process.ts";

const GREET_ONCE = join(ROOT, "services/greeter/policies/greet-once.yaml");
const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");

const greet = (client: PlainClient, name: string) => client.call("SayHello", { name });

test("the same name past its quota is told which quota, whose, and when to come again", async () => {
  await using worker = await startWorker("greeter");
  using client = connect(worker.address, greeter);
  const first = await greet(client, "七米");
  assert.deepEqual(
    ["limit", "remaining", "reset"].map((name) => first.trailers.get(`ratelimit-${name}`)),
    [["60"], ["59"], ["1"]],
  );
  // One greeting comes back every second: a slow machine gets more than 60.
  let greeted = 0;
  let last = first;
  for (; last.code === status.OK; greeted += 1) last = await greet(client, "七米");
  assert.ok(greeted >= 60, `${greeted} greetings`);
  const { code, details, replies, trailers } = last;
  assert.equal(code, status.RESOURCE_EXHAUSTED);
  assert.match(details, /^Quota "greetings-per-name" is used up for name:七米: at most 60 calls per 60s/);
  assert.deepEqual(replies, []);

  const error = statusIn(trailers);
  assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  assert.equal(error.message, details);
  const detail = (type: string) => error.details.find((each) => each.type === `google.rpc.${type}`);
  assert.deepEqual(detail("QuotaFailure"), {
    type: "google.rpc.QuotaFailure",
    violations: [
      {
        subject: "name:七米",
        description: "at most 60 calls per 60s for each name",
        apiService: "greeter.v1.Greeter",
        quotaMetric: "calls",
        quotaId: "greetings-per-name",
        quotaDimensions: { name: "七米" },
        quotaValue: 60,
      },
    ],
  });
  assert.deepEqual(detail("ErrorInfo"), {
    type: "google.rpc.ErrorInfo",
    reason: "QUOTA_EXCEEDED",
    domain: "greeter.v1.Greeter",
    metadata: { quotaId: "greetings-per-name" },
  });

  // The same delay is told in each of its places.
  const { retryDelay } = Object(detail("RetryInfo"));
  const delayMs = retryDelay.seconds * 1_000 + retryDelay.nanos / 1e6;
  assert.ok(delayMs > 0 && delayMs <= 1_000, `${delayMs} ms`);
  assert.deepEqual(trailers.get("grpc-retry-pushback-ms"), [String(Math.ceil(delayMs))]);

  assert.equal((await greet(client, "小王子")).code, status.OK, "another name has a quota of its own");
});

test("with policies/greet-once.yaml each name is greeted once, and no wait is promised to help", async () => {
  await using worker = await startWorker("greeter", { POLICY_FILE: GREET_ONCE });
  using client = connect(worker.address, greeter);
  for (const name of ["七米", "小王子"]) {
    assert.deepEqual((await greet(client, name)).replies, [{ reply: `Hello ${name}` }]);
    const { code, trailers } = await greet(client, name);
    assert.equal(code, status.RESOURCE_EXHAUSTED);
    assert.deepEqual(
      statusIn(trailers).details.map(({ type }) => type),
      ["google.rpc.QuotaFailure", "google.rpc.ErrorInfo"],
    );
  }
});

test("a policy file that is edited is in force within seconds, and counts that it does not touch go on", async () => {
  const greetOnce = await readFile(GREET_ONCE, "utf8");
  await using policy = await temporaryFile("policy.yaml", greetOnce);
  await using worker = await startWorker("greeter", { POLICY_FILE: policy.path });
  using client = connect(worker.address, greeter);
  const replies = () => client.call("LotsOfReplies", { name: "七米" });
  assert.equal((await greet(client, "七米")).code, status.OK);
  assert.equal((await replies()).code, status.OK);

  await policy.replace(`${greetOnce}
  greeter.v1.Greeter/LotsOfReplies:
    quotas:
      - { id: replies-once, limit: 1 }
`);
  await worker.logged(({ msg }) => msg === "the policy file changed and is in force");
  assert.equal((await replies()).code, status.OK, "the new quota counts from now");
  assert.equal((await replies()).code, status.RESOURCE_EXHAUSTED);
  assert.equal(
    (await greet(client, "七米")).code,
    status.RESOURCE_EXHAUSTED,
    "greeted once, before the edit",
  );

  await policy.replace("methods:\n  greeter.v1.Greeter/SayHello:\n    quotas: some\n");
  const refused = await worker.logged(({ msg }) => msg.startsWith("the policy file changed and is refused"));
  assert.match(JSON.stringify(refused.problems), /policy\.yaml:3: quotas is /);
  assert.equal((await greet(client, "七米")).code, status.RESOURCE_EXHAUSTED, "what was in force stays");
});
