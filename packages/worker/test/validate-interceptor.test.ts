import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, type Message } from "@bufbuild/protobuf";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Greeter, HelloRequestSchema, HelloResponseSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import type { Call } from "../src/call.ts";
import { implement } from "../src/implement.ts";
import type { Next } from "../src/interceptor.ts";
import { prepareValidation, validate } from "../src/interceptors/validate.ts";
import { createTestWorker } from "../src/testing.ts";
import { callOf, methodOf } from "./support/calls.ts";
import { field, repeated, sampleMethod } from "./support/message-types.ts";

const { sayHello, lotsOfGreetings } = Greeter.method;
const validation = await prepareValidation([HelloRequestSchema]);
const hello = (name: string): Message => create(HelloRequestSchema, { name });
const answer: Next = async () => create(HelloResponseSchema);
const unreachable: Next = async () => assert.fail("the handler ran");

/** What a call fails with. */
async function failure(call: () => Promise<unknown>): Promise<RpcError> {
  const error = await call().then(
    () => assert.fail("the call went well"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof RpcError);
  assert.equal(error.code, Code.InvalidArgument);
  return error;
}

function violationsOf(error: RpcError) {
  const details = error.details(BadRequestSchema);
  assert.equal(details.length, 1, "all violations travel in one BadRequest");
  return details.flatMap(({ fieldViolations }) =>
    fieldViolations.map(({ field, description, reason }) => ({ field, description, reason })),
  );
}

/** A type with rules for an item, a number and a text. */
const method = sampleMethod({
  messageType: [
    {
      name: "Sample",
      field: [
        field(
          1,
          "names",
          "string",
          { repeated: { items: { string: { minLen: "3", prefix: "a" } } } },
          repeated,
        ),
        field(2, "age", "int32", { int32: { gt: 0 } }),
        field(3, "word", "string", { string: { notContains: "七".repeat(5_000) } }),
      ],
    },
  ],
});
const sample = (init: { names?: string[]; age?: number; word?: string }) => create(method.input, init);

/** What the sample method answers to a message that is not valid. */
async function refusal(message: Message): Promise<RpcError> {
  const run = validate(await prepareValidation([method.input]))(unreachable, methodOf(method, []));
  return failure(async () => run(callOf(methodOf(method, []), { request: message })));
}

describe("a single request", () => {
  test("that is valid reaches the handler", async () => {
    const run = validate(validation)(answer, methodOf(sayHello, []));
    await run(callOf(methodOf(sayHello, []), { request: hello("七米") }));
  });

  test("that is not valid does not, and names every violation at once", async () => {
    const error = await refusal(sample({ names: ["abc", "b"], age: 0 }));
    assert.equal(
      error.message,
      "Sample is not valid: names[1] must be at least 3 characters; names[1] does not have prefix `a`; age must be greater than 0.",
    );
    assert.deepEqual(violationsOf(error), [
      { field: "names[1]", description: "must be at least 3 characters", reason: "string.min_len" },
      { field: "names[1]", description: "does not have prefix `a`", reason: "string.prefix" },
      { field: "age", description: "must be greater than 0", reason: "int32.gt" },
    ]);
  });

  test("of a type without rules costs nothing: the chain has no link for it", async () => {
    const rules = await prepareValidation(MathService.methods.map(({ input }) => input));
    assert.equal(validate(rules)(answer, methodOf(MathService.method.sum, [])), answer);
    assert.notEqual(validate(rules)(answer, methodOf(MathService.method.fibonacci, [])), answer);
  });
});

describe("an answer fits in the 8 KiB of trailers that clients take", () => {
  /** The bytes of status, message and details as they travel: in percent-encoding and in base64. */
  const sizeOf = (error: RpcError) =>
    encodeURIComponent(error.message).length + Math.ceil(((error.detailsBinary()?.length ?? 0) * 4) / 3);

  test("where there are more violations than that, it names the first and counts the rest", async () => {
    const error = await refusal(sample({ names: Array.from({ length: 100_000 }, () => "a") }));
    const listed = violationsOf(error);
    assert.equal(listed[0]?.field, "names[0]");
    assert.ok(listed.length > 10 && listed.length <= 100, `${listed.length} violations are listed`);
    assert.match(
      error.message,
      /; and 99\d\d\d more\. The details name the first \d+ of 100001 violations\.$/,
    );
    assert.ok(sizeOf(error) < 8 * 1024, `it takes ${sizeOf(error)} bytes`);
  });

  test("where a description is longer than that, it is cut", async () => {
    const error = await refusal(sample({ age: 1, word: "七".repeat(5_000) }));
    assert.equal(violationsOf(error).length, 1);
    assert.match(error.message, /^Sample is not valid: word contains substring `七{100,200}…\.$/);
    assert.ok(sizeOf(error) < 8 * 1024, `it takes ${sizeOf(error)} bytes`);
  });
});

describe("a stream of requests", () => {
  const streaming = methodOf(lotsOfGreetings, []);

  /** These messages, and whether they were left before their end. */
  function messages(...names: string[]) {
    const state = { left: false };
    async function* generate() {
      try {
        for (const name of names) yield hello(name);
      } finally {
        state.left = true;
      }
    }
    return { state, requests: generate() };
  }

  /** Runs a handler on a stream of these names. */
  function run(handler: (call: Call) => Promise<void>, requests: AsyncIterable<Message>) {
    const next: Next = async (call) => {
      await handler(call);
      return create(HelloResponseSchema);
    };
    return validate(validation)(next, streaming)(callOf(streaming, { requests }));
  }

  test("is handed on message by message, until one is not valid", async () => {
    const seen: Message[] = [];
    const { state, requests } = messages("Ann", "Bob", "", "Eve");
    const handler = async (call: Call) => {
      for await (const message of call.requests ?? []) seen.push(message);
    };
    const error = await failure(async () => run(handler, requests));
    assert.deepEqual(violationsOf(error), [
      { field: "name", description: "must be at least 1 characters", reason: "string.min_len" },
    ]);
    assert.deepEqual(seen, [hello("Ann"), hello("Bob")]);
    assert.ok(state.left, "what comes after it is not read");
  });

  test("that its handler leaves is left at its source too", async () => {
    const { state, requests } = messages("Ann", "Bob");
    await run(async (call) => {
      for await (const _ of call.requests ?? []) break;
    }, requests);
    assert.ok(state.left);
  });

  test("fails the call even where the handler catches the error", async () => {
    const stubborn = implement(Greeter, {
      sayHello: () => ({}),
      async *lotsOfReplies() {},
      async lotsOfGreetings(requests) {
        try {
          for await (const _ of requests);
        } catch {
          return { reply: "all is well" };
        }
        return {};
      },
      async *bidiHello() {},
    });
    await using worker = await createTestWorker({ services: [stubborn] });
    await failure(() => worker.client(Greeter).lotsOfGreetings([{ name: "Ann" }, { name: "" }]));
  });
});
