import assert from "node:assert/strict";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { createMemoryStore } from "../../src/quota/memory-store.ts";
import type { RemoteStore } from "../../src/quota/remote-store.ts";
import {
  createSharedStore,
  type SharedStoreOptions,
  type StoreEvents,
} from "../../src/quota/shared-store.ts";
import type { Decision } from "../../src/quota/store.ts";
import { manualClock } from "../../src/testing.ts";
import { ruleOf } from "./calls.ts";
import { logLines } from "./log-lines.ts";

/** A store elsewhere that answers, is late or fails as its test wants. */
export async function sharedStore(
  options: Partial<SharedStoreOptions> & { replicas?: number; away?: boolean } = {},
) {
  const { replicas = 1, away = false, ...given } = options;
  const clock = manualClock();
  const memory = createMemoryStore({ clock, maxSubjects: 1_000 });
  const log = logLines();
  const asked: string[] = [];
  const late: (() => void)[] = [];
  let mode: "answers" | "late" | "fails" = away ? "fails" : "answers";
  let events: StoreEvents | undefined;

  async function reach(): Promise<void> {
    if (mode === "fails") throw new Error("ECONNREFUSED");
    if (mode === "late") await new Promise<void>((resolve) => late.push(resolve));
  }
  const remote: RemoteStore = {
    async take(charges) {
      asked.push(charges.map(({ subject }) => subject).join("+"));
      const decision = memory.take(charges);
      await reach();
      return decision;
    },
    async checkIn() {
      await reach();
      return replicas;
    },
    retain: (rules) => memory.retain(rules),
    close: async () => {},
  };
  const store = await createSharedStore({
    connect: async (told) => {
      events = told;
      return remote;
    },
    timeoutMs: 20,
    fallback: "local",
    share: undefined,
    maxSubjects: 1_000,
    clock,
    log: log.log,
    ...given,
  });
  const take = (of = ruleOf(Greeter.method.sayHello, { limit: 6 }), subject = "七米") =>
    store.take([{ rule: of, subject }]);
  return {
    store,
    clock,
    asked,
    log,
    take,
    is(changed: typeof mode) {
      mode = changed;
      if (mode === "answers") events?.onReady();
    },
    /** Lets everything be answered that was late. */
    answerLate() {
      for (const answer of late.splice(0)) answer();
    },
    lose: (reason: string) => events?.onLost(reason),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

export function refusalOf(decision: Decision) {
  assert.ok(!decision.allowed);
  return decision.refusals[0];
}
