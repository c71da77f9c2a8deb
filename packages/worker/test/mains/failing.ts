/**
 * A worker whose handlers fail in the way that the name of the dish says. Types would keep an author from
 * some of these ways, so there are casts; JavaScript would not.
 */
import { badRequest, Code, RpcError } from "@gantry/rpc";
import type { CallContext } from "../../src/call-context.ts";
import { runWorker } from "../../src/run-worker.ts";
import { type Dish, kitchen } from "../support/kitchen.ts";

/** What no client may ever see. */
const SECRET = "the secret recipe";

function fail(name: string): never {
  switch (name) {
    case "nothing":
      throw undefined;
    case "text":
      throw SECRET;
    case "OK":
      throw new RpcError(Code.Ok, SECRET);
    case "refuse":
      throw new RpcError(Code.FailedPrecondition, "沒有食材 🍜", [
        badRequest([{ field: "name", description: "不在菜單上", reason: "UNKNOWN_DISH" }]),
      ]);
    default:
      throw new Error(`${SECRET}: ${name}`);
  }
}

function aborted({ signal }: CallContext): Promise<unknown> {
  return new Promise((resolve) => signal.addEventListener("abort", resolve));
}

async function* served({ name, count }: Dish, call: CallContext) {
  for (let at = 1; at <= count; at += 1) yield { count: at };
  if (name === "late") await aborted(call);
  if (name === "unsendable") yield { count: SECRET as unknown as number };
  fail(name);
}

/** Throws where it should reject, and gives back what is no promise. */
function carelessIterable() {
  return { [Symbol.asyncIterator]: () => ({ next: () => fail("iterated"), return: () => undefined }) };
}

const failing = kitchen({
  cook({ name }, call) {
    if (name === "well") return { name };
    if (name === "late") return aborted(call).then(() => fail(name));
    if (name === "later") return fail(name);
    if (name === "rejected") return Promise.reject(new Error(`${SECRET}: ${name}`));
    if (name === "unsendable") return { count: SECRET as unknown as number };
    if (name === "missing") return undefined as unknown as Dish;
    return fail(name);
  },
  serve(dish, call) {
    if (dish.name === "called") fail(dish.name);
    if (dish.name === "promised") return Promise.reject(new Error(SECRET)) as unknown as AsyncIterable<Dish>;
    if (dish.name === "iterated") return carelessIterable() as unknown as AsyncIterable<Dish>;
    return served(dish, call);
  },
  async collect(dishes, call) {
    for await (const { name } of dishes) {
      if (name === "late") await aborted(call);
      fail(name);
    }
    return {};
  },
  async *chat(dishes, call) {
    for await (const { name, count } of dishes) {
      if (count > 0) yield { count };
      if (name === "late") await aborted(call);
      else if (name !== "well") fail(name);
    }
  },
});

await runWorker({ name: "failing", version: "1.2.3", services: [failing] });
