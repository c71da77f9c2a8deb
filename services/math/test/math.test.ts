import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestSchema } from "@gantry/proto/google/rpc/error_details_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { createTestWorker } from "@gantry/worker/testing";
import release from "../package.json" with { type: "json" };
import { math } from "../src/math.ts";

const INT32 = { least: -(2 ** 31), most: 2 ** 31 - 1 };
const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

/** What a refused call is refused with: its code, and the fields that it names. */
function refusal(code: Code, ...fields: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError);
    const violations = error.details(BadRequestSchema).flatMap((detail) => detail.fieldViolations);
    assert.deepEqual({ code: error.code, fields: violations.map(({ field }) => field) }, { code, fields });
    return true;
  };
}

async function messagesOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const messages: T[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

describe("Sum", () => {
  test("adds up, and no numbers to 0", async () => {
    await using worker = await createTestWorker({ services: [math] });
    assert.equal((await worker.client(MathService).sum({ vals: [1, 2, -5] })).val, -2);
    assert.equal((await worker.client(MathService).sum({})).val, 0);
  });

  test("may leave int32 on its way, but not at its end", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const client = worker.client(MathService);
    const { least, most } = INT32;
    assert.equal((await client.sum({ vals: [most, most, least, 1] })).val, most);
    assert.equal((await client.sum({ vals: [least, 0] })).val, least);
    await assert.rejects(client.sum({ vals: [most, 1] }), refusal(Code.OutOfRange, "vals"));
    await assert.rejects(client.sum({ vals: [least, -1] }), refusal(Code.OutOfRange, "vals"));
  });
});

test("Version is the release's", async () => {
  await using worker = await createTestWorker({ services: [math] });
  assert.equal((await worker.client(MathService).version({})).val, release.version);
});

describe("Divide", () => {
  test("truncates toward zero, and is exact where doubles are not", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const divide = async (dividend: bigint, divisor: bigint) => {
      const { quotient, remainder } = await worker.client(MathService).divide({ dividend, divisor });
      return [quotient, remainder];
    };
    assert.deepEqual(await divide(7n, 2n), [3n, 1n]);
    assert.deepEqual(await divide(-7n, 2n), [-3n, -1n]);
    assert.deepEqual(await divide(7n, -2n), [-3n, 1n]);
    assert.deepEqual(await divide(INT64.most, 10n), [922337203685477580n, 7n]);
    assert.deepEqual(await divide(INT64.least, 1n), [INT64.least, 0n]);
  });

  test("by 0 is an invalid argument", async () => {
    await using worker = await createTestWorker({ services: [math] });
    await assert.rejects(
      worker.client(MathService).divide({ dividend: 1n, divisor: 0n }),
      refusal(Code.InvalidArgument, "divisor"),
    );
  });

  test("has one quotient that does not fit", async () => {
    await using worker = await createTestWorker({ services: [math] });
    await assert.rejects(
      worker.client(MathService).divide({ dividend: INT64.least, divisor: -1n }),
      refusal(Code.OutOfRange, "dividend"),
    );
  });
});

describe("Fibonacci", () => {
  test("gives as many numbers as asked for, to the last that fits in uint64", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const numbers = async (limit: number) =>
      (await messagesOf(worker.client(MathService).fibonacci({ limit }))).map(({ val }) => val);
    assert.deepEqual(await numbers(0), []);
    assert.deepEqual(await numbers(7), [0n, 1n, 1n, 2n, 3n, 5n, 8n]);
    const all = await numbers(94);
    assert.equal(all.length, 94);
    assert.equal(all.at(-1), 12200160415121876738n);
  });

  test("of more than 94 numbers is an invalid argument", async () => {
    await using worker = await createTestWorker({ services: [math] });
    await assert.rejects(
      messagesOf(worker.client(MathService).fibonacci({ limit: 95 })),
      refusal(Code.InvalidArgument, "limit"),
    );
  });

  test("stops at once when the client goes away", async () => {
    const handler = math.handlers.fibonacci;
    assert.ok(typeof handler === "function");
    const client = new AbortController();
    const numbers: AsyncIterator<{ val: bigint }> = handler({ limit: 94 }, { signal: client.signal });
    assert.deepEqual(await numbers.next(), { done: false, value: { val: 0n } });
    assert.deepEqual(await numbers.next(), { done: false, value: { val: 1n } });
    client.abort();
    assert.deepEqual(await numbers.next(), { done: true, value: undefined });
  });
});

describe("Accumulate", () => {
  const numbers = (...vals: number[]) => vals.map((val) => ({ val }));

  test("tells count, sum, minimum, maximum and mean", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const { count, sum, minimum, maximum, mean } = await worker
      .client(MathService)
      .accumulate(numbers(2, -1, 5));
    assert.deepEqual(
      { count, sum, minimum, maximum, mean },
      { count: 3n, sum: 6, minimum: -1, maximum: 5, mean: 2 },
    );
  });

  test("loses nothing to rounding", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const sumOf = async (...vals: number[]) =>
      (await worker.client(MathService).accumulate(numbers(...vals))).sum;
    assert.equal(await sumOf(...Array.from({ length: 10 }, () => 0.1)), 1);
    assert.equal(await sumOf(1, 1e100, 1, -1e100), 2);
    assert.equal(await sumOf(1e16, ...Array.from({ length: 1_000 }, () => 1)), 1e16 + 1_000);
  });

  test("of no numbers is a precondition that failed", async () => {
    await using worker = await createTestWorker({ services: [math] });
    await assert.rejects(worker.client(MathService).accumulate([]), refusal(Code.FailedPrecondition));
  });

  test("takes finite numbers only, and only as far as their sum is one", async () => {
    await using worker = await createTestWorker({ services: [math] });
    const client = worker.client(MathService);
    for (const val of [Number.NaN, Infinity, -Infinity]) {
      await assert.rejects(client.accumulate(numbers(1, val)), refusal(Code.InvalidArgument, "val"));
    }
    const most = Number.MAX_VALUE;
    assert.equal((await client.accumulate(numbers(most, -most, most))).sum, most);
    await assert.rejects(client.accumulate(numbers(most, most)), refusal(Code.OutOfRange, "val"));
    await assert.rejects(client.accumulate(numbers(-most, -most)), refusal(Code.OutOfRange, "val"));
  });
});

describe("RunningSum", () => {
  test("answers each number with the sum so far, before it gets the next one", async () => {
    await using worker = await createTestWorker({ services: [math] });
    let answered = Promise.withResolvers<void>();
    async function* numbers() {
      for (const val of [1n, 2n, -10n]) {
        answered = Promise.withResolvers();
        yield { val };
        await answered.promise;
      }
    }
    const sums: bigint[] = [];
    for await (const { val } of worker.client(MathService).runningSum(numbers(), { timeoutMs: 10_000 })) {
      sums.push(val);
      answered.resolve();
    }
    assert.deepEqual(sums, [1n, 3n, -7n]);
  });

  test("ends where the sum does not fit in int64", async () => {
    await using worker = await createTestWorker({ services: [math] });
    for (const [bound, step] of [
      [INT64.most, 1n],
      [INT64.least, -1n],
    ] as const) {
      const sums: bigint[] = [];
      await assert.rejects(
        async () => {
          const call = worker.client(MathService).runningSum([{ val: bound }, { val: step }]);
          for await (const { val } of call) sums.push(val);
        },
        refusal(Code.OutOfRange, "val"),
      );
      assert.deepEqual(sums, [bound]);
    }
  });
});
