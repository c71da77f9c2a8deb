import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Greeter, HelloRequestSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Metadata } from "@gantry/rpc";
import { PolicyError } from "../src/policy/policy-error.ts";
import { parseSubject } from "../src/quota/subject.ts";
import { callOf, methodOf } from "./support/calls.ts";
import { shop } from "./support/shop.ts";

const { order, method } = shop();
const buy = method("Buy");
const call = callOf(methodOf(buy, []));

function subjectOf(source: string, request: MessageInitShape<typeof order>): string {
  return parseSubject(source, buy, "quota").of(call, create(order, request));
}

function refusal(source: string, of = buy): string {
  try {
    parseSubject(source, of, 'quota "some-quota"');
  } catch (error) {
    assert.ok(error instanceof PolicyError);
    return error.message;
  }
  throw new assert.AssertionError({ message: `${source} was taken for a subject` });
}

test("a request field of the greeter is a subject, and refusals call it by its name", () => {
  const subject = parseSubject("request.name", Greeter.method.sayHello, "quota");
  assert.equal(subject.of(call, create(HelloRequestSchema, { name: "七米" })), "七米");
  assert.deepEqual([subject.kind, subject.source, subject.label], ["request", "request.name", "name"]);
});

test("numbers, bools and enums are subjects as text, enums by their names", () => {
  const request = { amount: -9007199254740993n, colour: 3, express: true, weight: 0.5 };
  assert.equal(subjectOf("request.amount", request), "-9007199254740993");
  assert.equal(subjectOf("request.colour", request), "RED");
  assert.equal(subjectOf("request.colour", { colour: 77 }), "77");
  assert.equal(subjectOf("request.express", request), "true");
  assert.equal(subjectOf("request.weight", request), "0.5");
});

test("a path leads into nested messages, and is empty where one on the way is not set", () => {
  const request = {
    buyer: { parent: { firstName: "六米" } },
  };
  const buyer = create(order, request);
  assert.equal(parseSubject("request.buyer.parent.first_name", buy, "quota").of(call, buyer), "六米");
  assert.equal(subjectOf("request.buyer.parent.first_name", { buyer: {} }), "");
  assert.equal(subjectOf("request.buyer.parent.first_name", {}), "");
  assert.equal(
    parseSubject("request.buyer.parent.first_name", buy, "quota").label,
    "buyer.parent.first_name",
  );
});

test("fields go by their names in the proto or in JSON, and are the same subject", () => {
  const [proto, json] = ["request.buyer.first_name", "request.buyer.firstName"].map((source) =>
    parseSubject(source, buy, "quota"),
  );
  assert.equal(proto?.source, "request.buyer.first_name");
  assert.equal(json?.source, proto?.source);
});

test("a member of a oneof is a subject, and empty while another member is set", () => {
  assert.equal(subjectOf("request.user_id", { whoAsks: { case: "userId", value: 7 } }), "7");
  const guest = { case: "guest", value: { firstName: "七米" } };
  assert.equal(subjectOf("request.guest.first_name", { whoAsks: guest }), "七米");
  assert.equal(subjectOf("request.user_id", { whoAsks: guest }), "");
  assert.equal(subjectOf("request.user_id", {}), "");
});

test("a wrapper is the value that it wraps, in a oneof or not", () => {
  assert.equal(subjectOf("request.nickname", { nickname: "米米" }), "米米");
  assert.equal(subjectOf("request.nickname", {}), "");
  const mark = { case: "mark", value: { value: 5n } };
  assert.equal(subjectOf("request.mark", { whoAsks: mark }), "5");
  assert.equal(subjectOf("request.mark", {}), "");
});

test("a message that is not there has the empty subject", () => {
  assert.equal(parseSubject("request.name", buy, "quota").of(call, undefined), "");
});

test("a request field that is none is refused with the names of those that are", () => {
  const fields = Greeter.method.sayHello;
  assert.equal(
    refusal("request.nmae", fields),
    'quota "some-quota": subject "request.nmae": greeter.v1.HelloRequest has no field "nmae": expected name',
  );
  assert.match(refusal("request.buyer.age"), /shop\.Person has no field "age": expected first_name, parent$/);
  assert.match(refusal("request.name.length"), /"name" has no fields of its own$/);
  assert.match(refusal("request."), /shop\.Order has no field ""/);
  assert.match(
    refusal("request.name", method("Ping")),
    /shop\.Empty has no field "name": expected none, for it is empty$/,
  );
});

test("bytes, repeated fields, maps and messages are no subjects", () => {
  assert.match(refusal("request.seal"), /is bytes: expected text, a number, a bool or an enum$/);
  assert.match(refusal("request.tags"), /is repeated: expected text/);
  assert.match(refusal("request.notes"), /is a map: expected text/);
  assert.match(refusal("request.buyer"), /is a message: expected .* its fields are first_name, parent$/);
});

test("the peer is its address without the port, however the address is written", () => {
  const addresses = {
    "127.0.0.1:51234": "127.0.0.1",
    "127.0.0.1": "127.0.0.1",
    "[::1]:5": "::1",
    "[::1]": "::1",
    "::1": "::1",
    "2001:db8::7:1": "2001:db8::7:1",
    "[fe80::1%eth0]:443": "fe80::1%eth0",
    "::ffff:127.0.0.1": "127.0.0.1",
    "::ffff:127.0.0.1:51234": "127.0.0.1",
    "[::ffff:127.0.0.1]:51234": "127.0.0.1",
    "in-process": "in-process",
    "unix:/run/worker.sock": "unix:/run/worker.sock",
    unknown: "unknown",
    "": "",
  };
  const subject = parseSubject("peer", buy, "quota");
  for (const [peer, expected] of Object.entries(addresses)) {
    assert.equal(subject.of(callOf(methodOf(buy, []), { peer }), undefined), expected);
  }
  assert.equal(subject.label, "peer");
});

test("a metadata key is a subject by its first value, whatever its case", () => {
  const subject = parseSubject("metadata.X-User", buy, "quota");
  const headers = new Metadata([
    ["x-user", "seven"],
    ["x-user", "eight"],
  ]);
  assert.equal(subject.of(callOf(methodOf(buy, []), { headers }), undefined), "seven");
  assert.equal(subject.of(callOf(methodOf(buy, [])), undefined), "");
  assert.deepEqual([subject.source, subject.label], ["metadata.x-user", "x-user"]);
});

test("a metadata key that holds bytes, or that cannot be sent, is refused", () => {
  assert.match(refusal("metadata.token-bin"), /does not end in "-bin"$/);
  assert.match(refusal("metadata.x user"), /expected a key of letters/);
  assert.match(refusal("metadata."), /expected a key of letters/);
});

test("the empty subject is everybody's", () => {
  const subject = parseSubject("", buy, "quota");
  assert.deepEqual([subject.kind, subject.label, subject.of(call, undefined)], ["everybody", "method", ""]);
});

test("any other subject is refused with those that there are", () => {
  assert.equal(
    refusal("user"),
    'quota "some-quota": subject "user" is not known: expected request.<field>, peer, principal, metadata.<key>, or "" for everybody',
  );
  assert.match(refusal("request"), /is not known/);
});
