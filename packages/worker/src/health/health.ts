import {
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "@gantry/proto/grpc/health/v1/health_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { type HealthStatus, type Implementation, implement } from "../implement.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/**
 * The health of a worker and of each service on it, as `grpc.health.v1` tells it.
 *
 * A service is SERVING when the worker serves and the service itself says nothing else. The name ""
 * is the whole worker: it does not ask the services. The name "liveness" is the process itself, which is SERVING
 * for as long as it answers: Kubernetes restarts what is not, and a restart helps no worker that drains.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export interface Health {
  readonly implementation: Implementation;
  /** Whether the worker as a whole serves: not while it starts, nor once it drains. Starts as false. */
  setWorkerServing(serving: boolean): void;
  /** What a service says of itself; it counts for its aliases too. @throws TypeError for a service that is not here. */
  report(service: string, status: HealthStatus): void;
  /** Whether this service, or by default the whole worker, is SERVING. */
  isServing(service?: string): boolean;
  /**
   * Ends every Watch, those still to come too, after it has told the last status. They end with
   * UNAVAILABLE, upon which clients watch again on the next connection; OK would have them do so as
   * well, and UNIMPLEMENTED would have them take a worker that has gone for a healthy one.
   */
  endWatches(): void;
}

/** The name that etcd, too, has for a probe of liveness. A list of services does not have it, for it is none. */
const LIVENESS = "liveness";

/** A service whose health can be asked for by its own name and by its aliases. */
export interface HealthSubject {
  readonly name: string;
  readonly aliases: readonly string[];
}

export function createHealth(services: readonly HealthSubject[]): Health {
  const ownNames = new Map([["", ""]]);
  for (const { name, aliases } of services) for (const each of [name, ...aliases]) ownNames.set(each, name);
  const reported = new Map<string, HealthStatus>();
  /** Wakes each Watch that waits for a change. */
  const waiting = new Set<() => void>();
  let workerServing = false;
  let watchesEnded = false;

  function statusOf(service: string): HealthCheckResponse_ServingStatus {
    const name = ownNames.get(service);
    if (name === undefined) return service === LIVENESS ? SERVING : SERVICE_UNKNOWN;
    return workerServing && reported.get(name) !== "NOT_SERVING" ? SERVING : NOT_SERVING;
  }

  function wakeWatches(): void {
    for (const wake of waiting) wake();
  }

  /** Resolves when something may have changed or the call is over, and leaves nothing behind. */
  function change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  const implementation = implement(HealthService, {
    check({ service }) {
      const status = statusOf(service);
      if (status === SERVICE_UNKNOWN) {
        throw new RpcError(Code.NotFound, `There is no service "${service}" on this worker.`);
      }
      return { status };
    },

    // The next status is read when the client has taken the one before, so a slow client is told
    // the newest, and nothing queues up for it.
    async *watch({ service }, { signal }) {
      let told: HealthCheckResponse_ServingStatus | undefined;
      while (!signal.aborted) {
        const status = statusOf(service);
        if (status !== told) {
          told = status;
          yield { status };
        } else if (watchesEnded) {
          throw new RpcError(Code.Unavailable, "The worker is stopping.");
        } else {
          await change(signal);
        }
      }
    },

    list() {
      return {
        statuses: Object.fromEntries([...ownNames.keys()].map((name) => [name, { status: statusOf(name) }])),
      };
    },
  });

  return {
    implementation,
    setWorkerServing(serving) {
      workerServing = serving;
      wakeWatches();
    },
    report(service, status) {
      const name = ownNames.get(service);
      if (!name)
        throw new TypeError(
          `There is no service "${service}" on this worker whose health could be reported.`,
        );
      reported.set(name, status);
      wakeWatches();
    },
    isServing: (service = "") => statusOf(service) === SERVING,
    endWatches() {
      watchesEnded = true;
      wakeWatches();
    },
  };
}
