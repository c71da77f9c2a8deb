import { create } from "@bufbuild/protobuf";
import {
  type QuotaFailure_Violation,
  QuotaFailure_ViolationSchema,
  QuotaFailureSchema,
} from "@gantry/proto/google/rpc/error_details_pb.js";
import { Code, detail, errorInfo, formatDurationMs, Metadata, RpcError, retryInfo } from "@gantry/rpc";
import type { Method } from "../method.ts";
import { describeRule } from "./rule.ts";
import type { Charge, Refusal } from "./store.ts";

/** Of the quotas that refuse a call, the one that decides when it may come again: it has the longest wait. */
export function bindingOf(refusals: readonly Refusal[]): Refusal | undefined {
  return refusals.reduce<Refusal | undefined>(
    (longest, refusal) => (!longest || waitOf(refusal) > waitOf(longest) ? refusal : longest),
    undefined,
  );
}

/** What a refused call fails with: it says which quotas, whose, what they allow, and when to come again. */
export function refusalError(method: Method, refusals: readonly Refusal[], binding: Refusal): RpcError {
  const { charge, retryAfterMs } = binding;
  const service = method.desc.parent.typeName;
  const violations = refusals.map((refusal) => violation(method, refusal.charge));
  const details = [
    detail(QuotaFailureSchema, create(QuotaFailureSchema, { violations })),
    errorInfo("QUOTA_EXCEEDED", service, { quotaId: charge.rule.id }),
  ];
  if (retryAfterMs !== undefined) details.push(retryInfo(retryAfterMs));
  const advice =
    retryAfterMs === undefined ? "No wait will help." : `Try again in ${formatDurationMs(retryAfterMs)}.`;
  return new RpcError(
    Code.ResourceExhausted,
    `Quota "${charge.rule.id}" is used up for ${subjectOf(method, charge)}: ${describeRule(charge.rule)}. ${advice}`,
    details,
    { metadata: new Metadata([["grpc-retry-pushback-ms", pushback(retryAfterMs)]]) },
  );
}

function violation(method: Method, charge: Charge): QuotaFailure_Violation {
  const { rule } = charge;
  return create(QuotaFailure_ViolationSchema, {
    subject: subjectOf(method, charge),
    description: describeRule(rule),
    apiService: method.desc.parent.typeName,
    quotaMetric: `${rule.per}s`,
    quotaId: rule.id,
    quotaDimensions: { [rule.subject.label]: dimensionOf(method, charge) },
    quotaValue: BigInt(rule.limit),
  });
}

/** `name:七米` */
function subjectOf(method: Method, charge: Charge): string {
  return `${charge.rule.subject.label}:${dimensionOf(method, charge)}`;
}

/** Long subjects are cut: whoever sent one knows it, and the status has to fit into trailers. */
function dimensionOf(method: Method, { rule, subject }: Charge): string {
  if (rule.subject.kind === "everybody") return method.name;
  return (subject.length <= LONGEST_TOLD ? subject : `${subject.slice(0, LONGEST_TOLD - 1)}…`).toWellFormed();
}

const LONGEST_TOLD = 128;

/**
 * When a client's library may retry by itself. -1 tells it not to; the number has 32 bits.
 *
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md, "Pushback".
 */
function pushback(retryAfterMs: number | undefined): string {
  return retryAfterMs === undefined ? "-1" : String(Math.min(Math.ceil(retryAfterMs), 2 ** 31 - 1));
}

function waitOf({ retryAfterMs }: Refusal): number {
  return retryAfterMs ?? Number.POSITIVE_INFINITY;
}
