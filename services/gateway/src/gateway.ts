import { type ClientInterceptor, createClient, hedging, retry, retryBudget } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import type { WorkerOptions } from "@gantry/worker";
import release from "../package.json" with { type: "json" };
import { forward } from "./forward.ts";
import { readGatewaySettings } from "./settings.ts";
import { createWeb } from "./web/web.ts";

const SERVICES = [Greeter, MathService];

/** Where each worker is unless a setting says so. */
const TARGETS = { greeter: "dns:///localhost:50051", math: "dns:///localhost:50052" };

/**
 * The gateway as a worker: its methods are those of the workers behind it, and hand each call on. Beside the
 * protocols that every worker speaks it has GraphQL, Socket.IO and `/rpc`, which call these same methods in the
 * process, so that traces, metrics, logs and limits hold for them alike.
 */
export function createGateway(env: NodeJS.ProcessEnv = process.env): WorkerOptions {
  const settings = readGatewaySettings(env, TARGETS);
  const { channels, timeoutMs, problems } = settings;
  return {
    name: "gateway",
    version: release.version,
    services: [
      forward(Greeter, createClient(Greeter, channels.greeter, attempts()), { timeoutMs }),
      forward(MathService, createClient(MathService, channels.math, attempts()), { timeoutMs }),
    ],
    defaults: { port: 8080, adminPort: 9466 },
    problems,
    env,
    web: createWeb({ version: release.version, services: SERVICES, settings }),
  };
}

/**
 * Calls are repeated as their methods' protos say. Each worker has a budget of its own: what one that is away
 * uses up, calls of the others do not lack.
 */
function attempts(): { interceptors: readonly ClientInterceptor[] } {
  const budget = retryBudget();
  return { interceptors: [hedging({ budget }), retry({ budget })] };
}
