import assert from "node:assert/strict";
import { once } from "node:events";
import { type Code, RpcError } from "@gantry/rpc";
import type { CallContext } from "../../src/call-context.ts";
import { createTestWorker, type TestWorkerOptions } from "../../src/testing.ts";
import { Kitchen, type KitchenHandlers, kitchen } from "./kitchen.ts";

/** A kitchen without ports, a client of it, and its log. */
export async function kitchenInProcess(
  handlers: Partial<KitchenHandlers> = {},
  options: Partial<TestWorkerOptions> = {},
) {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const worker = await createTestWorker({
    services: [kitchen(handlers)],
    onLog: (line) => lines.push(JSON.parse(line)),
    ...options,
  });
  return {
    lines,
    client: worker.client(Kitchen),
    /** How the calls ended, by the log: each has one line. */
    ended: () => lines.filter(({ msg }) => msg === "call").map(({ method, code }) => `${method}: ${code}`),
    [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose](),
  };
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const element of source) found.push(element);
  return found;
}

/** What a call is expected to fail with. */
export function failsWith(code: Code, message?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof RpcError, String(error));
    assert.equal(error.code, code, String(error));
    if (message) assert.match(error.message, message);
    return true;
  };
}

/** Resolves with the reason when the call is aborted. */
export function aborted({ signal }: CallContext): Promise<unknown> {
  return once(signal, "abort").then(() => signal.reason);
}
