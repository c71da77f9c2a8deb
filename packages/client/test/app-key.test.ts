import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, Metadata } from "@gantry/rpc";
import { appKey, type ClientInterceptor, createClient } from "../src/index.ts";
import { all } from "./support/all.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const shop = { id: "shop", key: "s3cret-key" };

test("every kind of call carries the application's id and key, and those alone", async () => {
  const seen: unknown[] = [];
  const note = (metadata: Metadata) => seen.push([metadata.getAll("appid"), metadata.getAll("appkey")]);
  await using worker = await kitchenWorker({
    cook(dish, { metadata }) {
      note(metadata);
      return dish;
    },
    async *serve(dish, { metadata }) {
      note(metadata);
      yield dish;
    },
    async collect(_, { metadata }) {
      note(metadata);
      return {};
    },
    async *chat(_, { metadata }) {
      note(metadata);
      yield {};
    },
  });
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [appKey(shop)] });
  const headers = new Metadata([["appkey", "another"]]);
  await kitchen.cook({}, { headers });
  await all(kitchen.serve({}, { headers }));
  await kitchen.collect([{}], { headers });
  await all(kitchen.chat([{}], { headers }));
  assert.deepEqual(seen, Array(4).fill([["shop"], ["s3cret-key"]]));
});

test("interceptors before it do not see the key", async () => {
  await using worker = await kitchenWorker();
  let before: Metadata | undefined;
  const look: ClientInterceptor = (next) => async (call) => {
    const response = await next(call);
    before = call.headers;
    return response;
  };
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [look, appKey(shop)] });
  await kitchen.ping({});
  assert.equal(before?.has("appkey"), false);
});

test("a key is not sent in plaintext to another host, unless that is allowed", async () => {
  const exposed = "kitchen.invalid:50051";
  const reached: ClientInterceptor = () => async (call) => {
    assert.equal(call.headers.get("appkey"), shop.key);
    throw new Error("the key was sent");
  };
  await using careful = createClient(Kitchen, exposed, { interceptors: [appKey(shop), reached] });
  await assert.rejects(careful.ping({}), {
    code: Code.FailedPrecondition,
    message: `The call has credentials, and ${exposed} would get them in plaintext: expected TLS, or a server on this host.`,
  });
  const allowed = appKey(shop, { allowPlaintext: true });
  await using careless = createClient(Kitchen, exposed, { interceptors: [allowed, reached] });
  await assert.rejects(careless.ping({}), { message: /the key was sent/ });
});

test("an id or key that no header carries is a mistake, told without it", () => {
  assert.throws(() => appKey({ id: "", key: "k" }), {
    name: "TypeError",
    message: "appKey() was given an id that is empty: expected printable ASCII without blanks at its ends.",
  });
  for (const key of ["caf\u00e9", " padded", "two\nlines"]) {
    assert.throws(() => appKey({ id: "shop", key }), {
      message:
        "appKey() was given a key that no header carries: expected printable ASCII without blanks at its ends.",
    });
  }
});
