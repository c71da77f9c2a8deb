import { create } from "@bufbuild/protobuf";
import { type ExplainedMethod, ExplainedMethodSchema } from "@gantry/proto/gantry/v1/admin_pb.js";
import { type Policy, PolicySchema, Quota_Per } from "@gantry/proto/gantry/v1/policy_pb.js";
import { durationOfMs } from "@gantry/rpc";
import type { Method } from "../method.ts";
import type { MethodPolicy } from "./policy.ts";

/** What is in force for a method, and where each value came from. */
export function explainMethod({ name, policy }: Method, interceptors: readonly string[]): ExplainedMethod {
  return create(ExplainedMethodSchema, {
    method: name,
    policy: policyMessage(policy),
    sources: {
      "timeout.default": policy.sources.timeoutDefault,
      "timeout.max": policy.sources.timeoutMax,
      quotas: policy.sources.quotas,
    },
    interceptors: [...interceptors],
  });
}

/** A policy as the message in which protos declare it. */
function policyMessage({ timeoutDefaultMs, timeoutMaxMs, quotas }: MethodPolicy): Policy {
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
  });
}
