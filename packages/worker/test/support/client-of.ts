import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@gantry/rpc";
import type { Call } from "../../src/call.ts";
import type { Implementation } from "../../src/implement.ts";
import { invoke } from "../../src/interceptors/invoke.ts";
import { createLogTo } from "../../src/log.ts";
import { Method } from "../../src/method.ts";
import { NO_POLICY } from "../../src/policy/policy.ts";
import { createTracing } from "../../src/trace/tracing.ts";
import { createInProcessClient } from "../../src/transport/in-process/in-process-client.ts";

/** A client of one implementation by itself, with no worker around it, and the calls that it has open. */
export function clientOf<S extends DescService>(
  service: S,
  { handlers }: Implementation,
): { client: Client<S>; calls: ReadonlySet<Call> } {
  const calls = new Set<Call>();
  const client = createInProcessClient(service, {
    log: createLogTo(() => {}, "silent"),
    calls,
    tracing: createTracing({}, notTraced, notTraced),
    route(path) {
      const desc = service.methods.find(({ name }) => path === `/${service.typeName}/${name}`);
      const handler = desc && handlers[desc.localName];
      if (!desc || !handler) return undefined;
      const method = new Method(desc, NO_POLICY, { inBand: true });
      return { method, run: invoke(method, handler) };
    },
  });
  return { client, calls };
}

function notTraced(): never {
  throw new Error("No settings turn tracing on here.");
}
