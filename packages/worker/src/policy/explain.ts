import { create, type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import { type ExplainedMethod, ExplainedMethodSchema } from "@gantry/proto/gantry/v1/admin_pb.js";
import {
  type Policy,
  PolicySchema,
  policy as policyOption,
  Quota_Per,
} from "@gantry/proto/gantry/v1/policy_pb.js";
import { durationOfMs } from "@gantry/rpc";
import type { Method } from "../method.ts";
import type { MethodPolicy } from "./policy.ts";

/** What is in force for a method, and where each value came from. */
export function explainMethod(
  { name, desc, policy }: Method,
  interceptors: readonly string[],
): ExplainedMethod {
  const toClients = wordsToClients(desc);
  return create(ExplainedMethodSchema, {
    method: name,
    policy: { ...policyMessage(policy), ...toClients },
    sources: {
      "timeout.default": policy.sources.timeoutDefault,
      "timeout.max": policy.sources.timeoutMax,
      quotas: policy.sources.quotas,
      access: policy.sources.access,
      ...Object.fromEntries(Object.keys(toClients).map((field) => [field, "proto"])),
    },
    interceptors: [...interceptors],
  });
}

/** What the proto says to clients, which nothing here can change. */
function wordsToClients(method: DescMethod): Pick<Policy, "retry" | "hedging"> {
  if (!hasOption(method, policyOption)) return {};
  const { retry, hedging } = getOption(method, policyOption);
  return { ...(retry && { retry }), ...(hedging && { hedging }) };
}

/** A policy as the message in which protos declare it. */
function policyMessage({ timeoutDefaultMs, timeoutMaxMs, quotas, access }: MethodPolicy): Policy {
  return create(PolicySchema, {
    timeout: {
      ...(timeoutDefaultMs !== undefined && { default: durationOfMs(timeoutDefaultMs) }),
      ...(timeoutMaxMs !== undefined && { max: durationOfMs(timeoutMaxMs) }),
    },
    quotas: quotas.map(({ id, subject, limit, windowMs, per }) => ({
      id,
      subject: subject.source,
      limit,
      ...(windowMs !== undefined && { window: durationOfMs(windowMs) }),
      per: per === "message" ? Quota_Per.MESSAGE : Quota_Per.CALL,
    })),
    access: { open: access.open, scopes: [...access.scopes] },
  });
}
