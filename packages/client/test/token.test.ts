import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Code, type Metadata, RpcError, runAsCurrentCall } from "@gantry/rpc";
import { type ClientInterceptor, createClient, type TokenFunction, token } from "../src/index.ts";
import { all } from "./support/all.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

/** A kitchen that lets in who has one of the tokens, and notes what all have shown. */
async function guardedKitchen(...valid: string[]) {
  const shown: (string | undefined)[] = [];
  const check = (metadata: Metadata) => {
    const authorization = metadata.get("authorization");
    shown.push(authorization);
    if (valid.some((text) => authorization === `Bearer ${text}`)) return;
    throw new RpcError(Code.Unauthenticated, "who are you?");
  };
  const worker = await kitchenWorker({
    cook(dish, { metadata }) {
      check(metadata);
      return dish;
    },
    async *serve(dish, { metadata }) {
      if (dish.count === 1) yield dish;
      check(metadata);
      yield dish;
    },
    async collect(dishes, { metadata }) {
      const { length } = await all(dishes);
      check(metadata);
      return { count: length };
    },
    async *chat(dishes, { metadata }) {
      check(metadata);
      yield* dishes;
    },
  });
  return { shown, target: worker.target, [Symbol.asyncDispose]: () => worker.stop() };
}

/** Gives `t1`, `t2` and so on. */
function counting() {
  let asked = 0;
  const ask: TokenFunction = async () => {
    asked += 1;
    return `t${asked}`;
  };
  return { ask, asked: () => asked };
}

function client(target: string, ...args: Parameters<typeof token>) {
  return createClient(Kitchen, target, { interceptors: [token(...args)] });
}

const refused = { code: Code.Unauthenticated, message: "who are you?" };

test("every kind of call carries the token", async () => {
  await using worker = await guardedKitchen("t0");
  await using kitchen = client(worker.target, "t0");
  await kitchen.cook({});
  await all(kitchen.serve({}));
  await kitchen.collect([{}]);
  await all(kitchen.chat([{}]));
  assert.deepEqual(worker.shown, Array(4).fill("Bearer t0"));
});

test("a fixed token that is refused is tried once", async () => {
  await using worker = await guardedKitchen();
  await using kitchen = client(worker.target, "t0");
  await assert.rejects(kitchen.cook({}), refused);
  assert.equal(worker.shown.length, 1);
});

test("a function is asked when it is first needed, and its token kept", async () => {
  await using worker = await guardedKitchen("t1");
  const { ask, asked } = counting();
  await using kitchen = client(worker.target, ask);
  assert.equal(asked(), 0);
  await kitchen.cook({});
  await all(kitchen.chat([{}]));
  assert.equal(asked(), 1);
});

test("a call with one request is repeated once with another token where the first is refused", async () => {
  await using worker = await guardedKitchen("t2");
  const { ask, asked } = counting();
  await using kitchen = client(worker.target, ask);
  assert.equal((await kitchen.cook({ name: "soup" })).name, "soup");
  assert.deepEqual(worker.shown.splice(0), ["Bearer t1", "Bearer t2"]);
  await kitchen.cook({});
  assert.equal(asked(), 2, "the new one is kept");
});

test("so is one that streams its responses, of which none has come", async () => {
  await using worker = await guardedKitchen("t2");
  await using kitchen = client(worker.target, counting().ask);
  assert.equal((await all(kitchen.serve({}))).length, 1);
  assert.deepEqual(worker.shown, ["Bearer t1", "Bearer t2"]);
});

test("a second refusal is the call's own, and the next call asks again", async () => {
  await using worker = await guardedKitchen("t3");
  await using kitchen = client(worker.target, counting().ask);
  await assert.rejects(kitchen.cook({}), refused);
  assert.deepEqual(worker.shown.splice(0), ["Bearer t1", "Bearer t2"]);
  await kitchen.cook({});
  assert.deepEqual(worker.shown, ["Bearer t3"]);
});

test("calls that stream their requests fail, and the next one has a fresh token", async () => {
  await using worker = await guardedKitchen("t3");
  await using kitchen = client(worker.target, counting().ask);
  await assert.rejects(kitchen.collect([{}, {}]), refused);
  await assert.rejects(all(kitchen.chat([{}])), refused);
  assert.equal((await kitchen.collect([{}, {}])).count, 2);
  assert.deepEqual(worker.shown, ["Bearer t1", "Bearer t2", "Bearer t3"]);
});

test("a stream that is refused after a message is not repeated, and the next call has a fresh token", async () => {
  await using worker = await guardedKitchen("t2");
  await using kitchen = client(worker.target, counting().ask);
  await assert.rejects(all(kitchen.serve({ count: 1 })), refused);
  await kitchen.cook({});
  assert.deepEqual(worker.shown, ["Bearer t1", "Bearer t2"]);
});

test("calls that fail otherwise are not repeated", async () => {
  let calls = 0;
  await using worker = await kitchenWorker({
    cook() {
      calls += 1;
      throw new RpcError(Code.PermissionDenied, "not you");
    },
  });
  const { ask, asked } = counting();
  await using kitchen = client(worker.target, ask);
  await assert.rejects(kitchen.cook({}), { code: Code.PermissionDenied });
  assert.deepEqual([calls, asked()], [1, 1]);
});

test("calls at the same time share one token, and one refresh", async () => {
  await using worker = await guardedKitchen("t2");
  const { ask, asked } = counting();
  await using kitchen = client(worker.target, ask);
  await Promise.all(Array.from({ length: 20 }, () => kitchen.cook({})));
  assert.equal(asked(), 2);
  assert.equal(worker.shown.filter((shown) => shown === "Bearer t1").length, 20);
});

test("a token is kept until the time that the function gave with it", async (t) => {
  await using worker = await guardedKitchen("a", "b");
  const given = [
    { token: "a", expiresAt: 61_000 },
    { token: "b", expiresAt: new Date(121_000) },
  ];
  await using kitchen = client(worker.target, () => given.shift() ?? assert.fail());
  t.mock.timers.enable({ apis: ["Date"], now: 1_000 });
  const cook = () => kitchen.cook({}, { timeoutMs: 60_000_000 });
  await cook();
  t.mock.timers.tick(59_999);
  await cook();
  t.mock.timers.tick(1);
  await cook();
  assert.deepEqual(worker.shown, ["Bearer a", "Bearer a", "Bearer b"]);
});

test("a function that throws fails the call with UNAUTHENTICATED and its error, and is asked again", async () => {
  await using worker = await guardedKitchen("good");
  const cause = new RpcError(Code.Unavailable, "no tokens today");
  let asked = 0;
  await using kitchen = client(worker.target, () => {
    asked += 1;
    if (asked === 1) throw cause;
    return "good";
  });
  await assert.rejects(kitchen.cook({}), {
    code: Code.Unauthenticated,
    message: "The call's token could not be had.",
    cause,
  });
  await kitchen.cook({});
  assert.deepEqual(worker.shown, ["Bearer good"]);
});

test("what a function gives that is no token is not sent, and never told", async () => {
  await using worker = await guardedKitchen();
  for (const given of [
    "",
    "s3cret\n",
    { token: "s3cret\u00e9" },
    { token: "s3cret", expiresAt: Number.NaN },
  ]) {
    await using kitchen = client(worker.target, () => given);
    await assert.rejects(kitchen.cook({}), (error) => {
      assert.ok(error instanceof RpcError && error.code === Code.Unauthenticated);
      assert.ok(error.cause instanceof TypeError);
      assert.match(error.cause.message, /^The function of token\(\) gave .*: expected /);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /s3cret/);
      return true;
    });
  }
  assert.deepEqual(worker.shown, []);
  assert.throws(() => token("s3cret\n"), { message: /^token\(\) was given a token that no header carries/ });
});

test("a function that takes too long is told, and asked again by the next call", async () => {
  await using worker = await guardedKitchen("good");
  const signals: AbortSignal[] = [];
  const slow: TokenFunction = (signal) => {
    signals.push(signal);
    return signals.length === 1 ? new Promise(() => {}) : "good";
  };
  await using kitchen = client(worker.target, slow, { timeoutMs: 20 });
  await assert.rejects(kitchen.cook({}), (error) => {
    assert.ok(error instanceof RpcError && error.cause instanceof Error);
    assert.equal(error.cause.message, "It was not there within 20ms.");
    return error.code === Code.Unauthenticated;
  });
  assert.equal(signals[0]?.aborted, true);
  await kitchen.cook({});
  assert.equal(signals[1]?.aborted, false);
});

test("who is cancelled or out of time stops waiting; the others still get the token", async () => {
  await using worker = await guardedKitchen("good");
  const given = Promise.withResolvers<string>();
  await using kitchen = client(worker.target, () => given.promise);
  const controller = new AbortController();
  const late = kitchen.cook({}, { timeoutMs: 20 });
  const cancelled = kitchen.cook({}, { signal: controller.signal });
  const patient = kitchen.cook({});
  await assert.rejects(late, { code: Code.DeadlineExceeded });
  controller.abort();
  await assert.rejects(cancelled, { code: Code.Cancelled });
  given.resolve("good");
  await patient;
});

test("what the function does belongs to no call: it inherits nothing from the handler that asked first", async () => {
  await using worker = await guardedKitchen("good");
  await using issuer = await kitchenWorker({
    cook: (_, { deadline }) => ({ name: deadline === undefined ? "good" : "inherited" }),
  });
  await using tokens = createClient(Kitchen, issuer.target);
  await using kitchen = client(worker.target, async () => (await tokens.cook({})).name);
  const current = {
    deadline: Date.now() + 60_000,
    signal: new AbortController().signal,
    traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    traceState: undefined,
  };
  await runAsCurrentCall(current, () => kitchen.cook({}));
});

test("a token is not sent in plaintext to another host, nor asked for, unless that is allowed", async () => {
  const exposed = "kitchen.invalid:50051";
  const { ask, asked } = counting();
  const reached: ClientInterceptor = () => async (call) => {
    throw new Error(`sent ${call.headers.get("authorization")}`);
  };
  await using careful = createClient(Kitchen, exposed, { interceptors: [token(ask), reached] });
  await assert.rejects(careful.ping({}), {
    code: Code.FailedPrecondition,
    message: `The call has credentials, and ${exposed} would get them in plaintext: expected TLS, or a server on this host.`,
  });
  assert.equal(asked(), 0);
  const allowed = token(ask, { allowPlaintext: true });
  await using careless = createClient(Kitchen, exposed, { interceptors: [allowed, reached] });
  await assert.rejects(careless.ping({}), { message: /sent Bearer t1/ });
});

test("what the rest of the chain added to a call that was refused is not there when it is repeated", async () => {
  await using worker = await guardedKitchen("t2");
  const seen: number[] = [];
  const add: ClientInterceptor = (next) => (call) => {
    call.headers.append("added", "once");
    seen.push(call.headers.getAll("added").length);
    return next(call);
  };
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [token(counting().ask), add] });
  await kitchen.cook({});
  assert.deepEqual(seen, [1, 1]);
});
