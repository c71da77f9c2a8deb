import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Method } from "../src/method.ts";
import { protoPolicy } from "../src/policy/policy.ts";
import { PolicyError } from "../src/policy/policy-error.ts";
import { readPolicyFile } from "../src/policy/policy-file.ts";

const methods = Greeter.methods.map((desc) => new Method(desc, protoPolicy(desc), { inBand: false }));
const declared = new Map(methods.map((method) => [method, method.policy]));

async function policyOf(content: string, name = "SayHello", path = "/etc/gantry/policy.yaml") {
  const read = await readPolicyFile(path, content, declared);
  const method = methods.find(({ desc }) => desc.name === name);
  const policy = method && read.get(method);
  assert.ok(policy);
  return {
    ...policy,
    quotas: policy.quotas.map(({ id, subject, limit, windowMs, per }) => ({
      id,
      subject: subject.source,
      limit,
      windowMs,
      per,
    })),
  };
}

async function refuses(content: string, ...problems: string[]): Promise<void> {
  await assert.rejects(readPolicyFile("/etc/gantry/policy.yaml", content, declared), (error) => {
    assert.ok(error instanceof PolicyError);
    assert.deepEqual(error.problems, problems);
    return true;
  });
}

test("what a file gives stands in the place of what the proto declares, with its line", async () => {
  const content = [
    "# operations",
    "methods:",
    "  greeter.v1.Greeter/SayHello:",
    "    timeout: { default: 500ms, max: 1m }",
    "    quotas:",
    "      - { id: greet-once, subject: request.name, limit: 1 }",
    "      - { id: calls-per-peer, subject: peer, limit: 9, window: 1h, per: MESSAGE }",
    "    access: { scopes: [greetings.read] }",
  ].join("\n");
  assert.deepEqual(await policyOf(content), {
    timeoutDefaultMs: 500,
    timeoutMaxMs: 60_000,
    quotas: [
      { id: "greet-once", subject: "request.name", limit: 1, windowMs: undefined, per: "call" },
      { id: "calls-per-peer", subject: "peer", limit: 9, windowMs: 3_600_000, per: "message" },
    ],
    access: { open: false, scopes: ["greetings.read"] },
    sources: {
      timeoutDefault: "policy.yaml:4",
      timeoutMax: "policy.yaml:4",
      quotas: "policy.yaml:5",
      access: "policy.yaml:8",
    },
  });
});

test("what a file does not give stays as the proto declares it", async () => {
  const policy = await policyOf("methods:\n  greeter.v1.Greeter/SayHello:\n    timeout:\n      max: 20s");
  assert.deepEqual([policy.timeoutDefaultMs, policy.timeoutMaxMs], [2_000, 20_000]);
  assert.deepEqual(
    policy.quotas.map(({ id }) => id),
    ["greetings-per-name"],
  );
  assert.deepEqual(policy.sources, {
    timeoutDefault: "proto",
    timeoutMax: "policy.yaml:4",
    quotas: "proto",
    access: "default",
  });
});

test("an empty list of quotas leaves none", async () => {
  const policy = await policyOf("methods:\n  greeter.v1.Greeter/SayHello: { quotas: [] }");
  assert.deepEqual([policy.quotas, policy.sources.quotas], [[], "policy.yaml:2"]);
});

test("methods that a file does not name keep their policy", async () => {
  assert.equal((await readPolicyFile("policy.yaml", "methods: {}", declared)).size, 0);
});

test("a method that is not there is refused with those that are nearest", async () => {
  await refuses(
    "methods:\n  greeter.v1.Greeter/SayHelo: {}",
    'policy.yaml:2: there is no method "greeter.v1.Greeter/SayHelo" to hold to a policy: the nearest are greeter.v1.Greeter/SayHello, greeter.v1.Greeter/BidiHello, greeter.v1.Greeter/LotsOfReplies',
  );
});

test("all problems of a file are told at once, each with its line", async () => {
  await refuses(
    [
      "methods:",
      "  greeter.v1.Greeter/SayHello:",
      "    timeouts: { default: 2s }", // line 3
      "    timeout: { default: 2 parsecs, max: 0s, least: 1s }",
      "    quotas:",
      "      - { id: Once, subject: request.nmae, limit: 1 }", // line 6
      "      - { id: twice, limit: 1 }",
      "      - { id: twice, limit: many }",
      "      - { id: twice, limit: 2, window: 0s, per: DAY }",
      "      - { id: twice, limit: 2 }", // line 10
      "      - { id: no-limit }",
      "  greeter.v1.Greeter/LotsOfReplies:",
      "    quotas: none",
      "  greeter.v1.Greeter/LotsOfGreetings:",
      "    quotas: [{ id: per-name, subject: request.name, limit: 1 }]", // line 15
      "  greeter.v1.Greeter/BidiHello:",
      "  greeter.v1.Greeter/SayHello: {}",
      "method: {}",
    ].join("\n"),
    'policy.yaml:3: greeter.v1.Greeter/SayHello has no field "timeouts": expected one of timeout, quotas, access, retry, hedging',
    'policy.yaml:4: timeout has no field "least": expected one of default, max',
    'policy.yaml:4: timeout.default is "2 parsecs": expected a duration such as 500ms, 2s, 1m or 1h',
    "policy.yaml:4: timeout.max is 0ms: expected at least 1ms",
    'policy.yaml:6: quota "Once": expected an id of lower-case words joined by hyphens',
    'policy.yaml:6: quota "Once": subject "request.nmae": greeter.v1.HelloRequest has no field "nmae": expected name',
    'policy.yaml:8: quotas[2].limit is "many": expected a whole number from 0 to 4294967295',
    'policy.yaml:9: quotas[3].per is "DAY": expected one of CALL, MESSAGE',
    'policy.yaml:10: quota "twice" is declared twice',
    'policy.yaml:11: quota "no-limit" has no limit: expected a whole number from 0',
    'policy.yaml:13: quotas is "none": expected a list of quotas, or [] for none',
    'policy.yaml:15: quota "per-name" counts calls by request.name, but a call that streams its requests opens before the first of them: expected per: MESSAGE, or a subject other than a request field',
    "policy.yaml:16: greeter.v1.Greeter/BidiHello is empty: expected a mapping with timeout, quotas, access, retry, hedging",
    'policy.yaml:17: "greeter.v1.Greeter/SayHello" stands here a second time: expected it once',
    'policy.yaml:18: the file has no field "method": expected methods',
  );
});

test("what a proto says to clients is nothing that a worker's file could change", async () => {
  await refuses(
    "methods:\n  greeter.v1.Greeter/SayHello:\n    retry: { max_attempts: 1 }\n    hedging:",
    "policy.yaml:3: retry is for clients, who read it in the proto that they were built with: a worker cannot change it",
    "policy.yaml:4: hedging is for clients, who read it in the proto that they were built with: a worker cannot change it",
  );
});

test("a file that says nothing is refused, rather than taken for one that overrides nothing", async () => {
  await refuses("", "policy.yaml:1: the file is empty: expected a mapping with methods");
  await refuses("# later", "policy.yaml:1: the file is empty: expected a mapping with methods");
  await refuses("methods:", "policy.yaml:1: methods is empty: expected a mapping from methods to policies");
});

test("a file that is no YAML is refused with the line", async () => {
  await assert.rejects(
    readPolicyFile("/etc/gantry/policy.yaml", "methods:\n  - {", declared),
    /^PolicyError: policy\.yaml:2: /,
  );
});

test("the policy file of the greeter greets each name once", async () => {
  const path = join(import.meta.dirname, "../../../services/greeter/policies/greet-once.yaml");
  const { quotas, timeoutDefaultMs } = await policyOf(await readFile(path, "utf8"), "SayHello", path);
  assert.deepEqual(quotas, [
    { id: "greet-once", subject: "request.name", limit: 1, windowMs: undefined, per: "call" },
  ]);
  assert.equal(timeoutDefaultMs, 2_000);
});
