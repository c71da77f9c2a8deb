import type { DescService } from "@bufbuild/protobuf";
import { Method } from "../../src/method.ts";
import type { WorkerStats } from "../../src/metrics/worker-stats.ts";
import { NO_POLICY } from "../../src/policy/policy.ts";
import { QuotaStats } from "../../src/quota/quota-stats.ts";
import type { WorkerState } from "../../src/state.ts";

/** The counts of a worker that serves some services and has had no call yet. */
export function statsOf(...services: readonly DescService[]) {
  const methods = services.flatMap((service) =>
    service.methods.map((method) => new Method(method, NO_POLICY, { inBand: false })),
  );
  const state: WorkerState = "serving";
  return { methods, quotas: new QuotaStats(), shed: 0, state } satisfies WorkerStats as Mutable<WorkerStats>;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
