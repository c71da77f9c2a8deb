/** Greeters that are called without a pause, and what becomes of each call. */
import type { ConnectedClient } from "@gantry/client";
import type { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { Metadata, RpcError } from "@gantry/rpc";

/** So many calls are in flight at once. */
export const CALLERS = 8;
/** The policy file of Greeters that are called like that. */
export const NO_QUOTAS = "methods: { greeter.v1.Greeter/SayHello: { quotas: [] } }";

export interface Call {
  readonly location: string | undefined;
  readonly error: RpcError | undefined;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

/** Has a client call all the while, and never again what failed unless its interceptors do. Closes it at the end. */
export function startCalling(client: ConnectedClient<typeof Greeter>) {
  const calls: Call[] = [];
  const listeners = new Set<(call: Call) => void>();
  let over = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!over) {
      const beganAtMs = performance.now();
      let location: string | undefined;
      const onHeaders = (headers: Metadata) => {
        location = headers.get("location")?.toString();
      };
      const error = await client.sayHello({ name: "七米" }, { onHeaders }).then(
        () => undefined,
        (failure) => failure,
      );
      const call = { location, error, beganAtMs, endedAtMs: performance.now() };
      calls.push(call);
      for (const listener of listeners) listener(call);
    }
  });
  /** The next call for which this holds. */
  const next = (holds: (call: Call) => boolean) =>
    new Promise<Call>((resolve) => {
      const listener = (call: Call) => {
        if (!holds(call)) return;
        listeners.delete(listener);
        resolve(call);
      };
      listeners.add(listener);
    });
  return {
    calls,
    next,
    /** So many calls in a row to come, whatever becomes of them. */
    async many(count: number): Promise<Call[]> {
      const from = calls.length;
      await next(() => calls.length >= from + count);
      return calls.slice(from);
    },
    failed: () => calls.filter(({ error }) => error).map(({ error }) => error?.message),
    async [Symbol.asyncDispose]() {
      over = true;
      await Promise.all(callers);
      await client.close();
    },
  };
}

/** Who answered them. */
export function locations(calls: readonly Call[]): string[] {
  return [...new Set(calls.flatMap(({ location }) => location ?? []))].sort();
}
