/** Calls of every kind, and of every end, so that there is something to see. */
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { ALICE, BOB, bearer } from "../../packages/worker/test/support/auth.ts";
import { runLoad } from "./load-run.ts";
import type { ObservedSystem } from "./observed-system.ts";

/** Calls until it is disposed of, round after round. */
export function startTraffic(system: ObservedSystem): AsyncDisposable {
  const { envoy, gateway, guarded } = system;
  const greeters = [system.greeter, envoy].filter((target) => target !== undefined);
  const maths = [system.math, envoy].filter((target) => target !== undefined);
  const clients = {
    greeters: greeters.map((target) => createClient(Greeter, target)),
    maths: maths.map((target) => createClient(MathService, target)),
    guarded: createClient(Greeter, guarded.target, { credentials: guarded.credentials }),
  };
  const over = new AbortController();

  const round = async (number: number) => {
    await Promise.allSettled([
      ...clients.greeters.flatMap((client) => [
        client.sayHello({ name: `caller ${number}` }),
        // One name is over its quota after sixty calls.
        ...Array.from({ length: 20 }, () => client.sayHello({ name: "七米" })),
        client.sayHello({ name: "" }),
        drained(client.lotsOfReplies({ name: "七米" })),
        client.lotsOfGreetings([{ name: "a" }, { name: "b" }]),
        drained(client.bidiHello([{ name: "在吗?" }])),
        // Time runs out, and a caller leaves.
        client.lotsOfGreetings(endless(), { timeoutMs: 20 }),
        client.lotsOfGreetings(endless(), { signal: AbortSignal.timeout(20) }),
      ]),
      ...clients.maths.flatMap((client) => [
        client.sum({ vals: [1, 2] }),
        client.version({}),
        client.divide({ dividend: 7n, divisor: BigInt(number % 2) }),
        drained(client.fibonacci({ limit: 10 })),
        client.accumulate([{ val: 1 }, { val: 2 }]),
        drained(client.runningSum([{ val: 1n }, { val: 2n }])),
      ]),
      clients.guarded.sayHello({ name: "alice" }, { headers: bearer(ALICE.token) }),
      clients.guarded.sayHello({ name: "bob" }, { headers: bearer(BOB.token) }),
      clients.guarded.sayHello({ name: "mallory" }, { headers: bearer("mallory-s-token") }),
      fetch(`${gateway}/api/v1/greeter/caller-${number}`).then((response) => response.text()),
      fetch(`${gateway}/api/v1/greeter/caller-${number}/replies`).then((response) => response.text()),
    ]);
  };
  const load = runLoad("load", loadSettings(system), ...REMOTE_WRITE);
  const ended = (async () => {
    for (let number = 0; !over.signal.aborted; number += 1) {
      await round(number);
      // Traffic, not load: other tests run beside it.
      await delay(100);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      await Promise.all([ended, load]);
      const open = [...clients.greeters, ...clients.maths, clients.guarded];
      await Promise.all(open.map((client) => client.close()));
    },
  };
}

/** k6 writes what it measures to Prometheus. */
const REMOTE_WRITE = ["-o", "experimental-prometheus-rw"];

function loadSettings({ greeter, math, prometheus }: ObservedSystem) {
  return {
    GREETER_ADDRESS: greeter,
    MATH_ADDRESS: math,
    ...{ RATE: "20", CONNECTIONS: "2", DURATION: "10s", TEST_ID: "observed" },
    K6_PROMETHEUS_RW_SERVER_URL: prometheus.remoteWrite,
    K6_PROMETHEUS_RW_PUSH_INTERVAL: "1s",
    K6_PROMETHEUS_RW_TREND_STATS: "p(50),p(95),p(99),max",
  };
}

async function drained(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of replies);
}

/** A request stream that never ends by itself. */
async function* endless() {
  for (;;) {
    yield { name: "七米" };
    await delay(5);
  }
}
