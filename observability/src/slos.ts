/** The objectives of our services, as observability/slos.json declares them: once, for rules, dashboards and k6. */

import type { DescService } from "@bufbuild/protobuf";
import { file_greeter_v1_greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { file_math_v1_math } from "@gantry/proto/math/v1/math_pb.js";
import slos from "../slos.json" with { type: "json" };

/** What a service promises, over 30 days. */
export interface Objective {
  /** Its contract. */
  readonly service: DescService;
  /** The share of its calls that must not fail, from 0 to 1. */
  readonly availability: number;
  /** So many milliseconds are enough for that share of its unary calls. */
  readonly latency: { readonly ms: number; readonly ratio: number };
}

/** The contracts that workers here serve to callers. */
export const SERVICES: readonly DescService[] = [
  ...file_greeter_v1_greeter.services,
  ...file_math_v1_math.services,
];

/** @throws an Error where slos.json and the contracts do not name the same services, or a share is none */
export function readObjectives(declared: Readonly<Record<string, unknown>> = slos.services): Objective[] {
  const unknown = Object.keys(declared).filter((name) => !SERVICES.some(({ typeName }) => typeName === name));
  if (unknown.length > 0)
    throw new Error(`slos.json names ${unknown.join(", ")}, of which there is no contract.`);
  return SERVICES.map((service) => {
    const { availability, latency } = Object(declared[service.typeName]);
    const { ms, ratio } = Object(latency);
    for (const [field, value] of Object.entries({ availability, "latency.ratio": ratio })) {
      if (!(value > 0 && value < 1)) {
        throw new Error(
          `slos.json: ${field} of ${service.typeName} is ${value}: expected a share between 0 and 1.`,
        );
      }
    }
    if (!(ms > 0)) {
      throw new Error(`slos.json: latency.ms of ${service.typeName} is ${ms}: expected milliseconds.`);
    }
    return { service, availability, latency: { ms, ratio } };
  });
}
