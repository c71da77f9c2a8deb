import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@gantry/rpc";
import { type Clock, systemClock } from "./clock.ts";
import { createCore } from "./core.ts";
import type { Implementation } from "./implement.ts";
import { createLogTo, type Logger } from "./log.ts";
import { readSettings, type Settings } from "./settings.ts";
import { createTracing } from "./trace/tracing.ts";
import { createInProcessClient } from "./transport/in-process/in-process-client.ts";

export interface TestWorkerOptions {
  readonly services: readonly Implementation[];
  /** The clock of quotas. Default: the system's. */
  readonly clock?: Clock;
  readonly policyFile?: string;
  /** Who may call. Default: anybody. */
  readonly authFile?: string;
  readonly settings?: Partial<Settings>;
  /** Gets every log line as it is written. Default: nobody does. */
  readonly onLog?: (line: string) => void;
}

/** A worker without ports, for the tests of services: the same chain as in production, in this process. */
export interface TestWorker extends AsyncDisposable {
  /** A client of one of the worker's services, health, reflection and admin included. */
  client<S extends DescService>(service: S): Client<S>;
}

/**
 * ```ts
 * await using worker = await createTestWorker({ services: [greeter] });
 * const { reply } = await worker.client(Greeter).sayHello({ name: "七米" });
 * ```
 */
export async function createTestWorker(options: TestWorkerOptions): Promise<TestWorker> {
  const { services, clock = systemClock, policyFile, authFile, onLog } = options;
  const log: Logger = createLogTo(onLog ?? (() => {}), onLog ? "trace" : "silent");
  const settings: Settings = { ...readSettings({}), policyFile, authFile, ...options.settings };
  const tracing = createTracing({}, neverTraced, neverTraced);
  const core = await createCore({ name: "test", services, settings, log, clock, tracing });
  core.state = "serving";
  core.health.setWorkerServing(true);
  return {
    client: (service) => createInProcessClient(service, { ...core, route: (path) => core.routes.get(path) }),
    async [Symbol.asyncDispose]() {
      core.health.endWatches();
      await core.closeStores();
    },
  };
}

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

export function manualClock(): ManualClock {
  let now = 0;
  return {
    now: () => now,
    advance(ms) {
      now += ms;
    },
  };
}

function neverTraced(): never {
  throw new Error("A test worker has no settings that would turn tracing on.");
}
