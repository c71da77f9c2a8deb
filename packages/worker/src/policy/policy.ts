import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import { policy as policyOption, type Quota, Quota_Per } from "@gantry/proto/gantry/v1/policy_pb.js";
import { attemptPolicyOf, durationMs, methodName } from "@gantry/rpc";
import { parseSubject, type Subject } from "../quota/subject.ts";
import { type Access, ANY_PRINCIPAL, accessOf } from "./access.ts";
import { gather, PolicyError } from "./policy-error.ts";

/** The policy in force for one method, with defaults filled in and where each value came from. */
export interface MethodPolicy {
  /** The deadline of a call that brings none. Undefined: none. */
  readonly timeoutDefaultMs: number | undefined;
  /** No call runs longer. Undefined: no bound. */
  readonly timeoutMaxMs: number | undefined;
  /** A call must fit all of them. */
  readonly quotas: readonly QuotaRule[];
  readonly access: Access;
  readonly sources: PolicySources;
}

/** `proto`, `default`, or the line of the policy file, as `policy.yaml:4`. */
export interface PolicySources {
  readonly timeoutDefault: string;
  readonly timeoutMax: string;
  readonly quotas: string;
  readonly access: string;
}

/** One quota as it applies to one method. */
export interface QuotaRule {
  readonly id: string;
  readonly subject: Subject;
  readonly limit: number;
  /** The time in which an empty bucket refills, at least 1 ms; undefined: never. */
  readonly windowMs: number | undefined;
  readonly per: "call" | "message";
}

export const NO_POLICY: MethodPolicy = {
  timeoutDefaultMs: undefined,
  timeoutMaxMs: undefined,
  quotas: [],
  access: ANY_PRINCIPAL,
  sources: { timeoutDefault: "default", timeoutMax: "default", quotas: "default", access: "default" },
};

/** The policy that the proto declares beside the method. @throws PolicyError naming the method in each problem. */
export function protoPolicy(method: DescMethod): MethodPolicy {
  if (!hasOption(method, policyOption)) return NO_POLICY;
  const { timeout, quotas, access } = getOption(method, policyOption);
  const problems: string[] = [];
  const policy: MethodPolicy = {
    timeoutDefaultMs: gather(
      problems,
      () => timeout?.default && atLeast1Ms("timeout.default", timeout.default),
    ),
    timeoutMaxMs: gather(problems, () => timeout?.max && atLeast1Ms("timeout.max", timeout.max)),
    quotas: quotas.flatMap((quota) => gather(problems, () => quotaRule(quota, method)) ?? []),
    access: gather(problems, () => access && accessOf(access)) ?? ANY_PRINCIPAL,
    sources: {
      timeoutDefault: timeout?.default ? "proto" : "default",
      timeoutMax: timeout?.max ? "proto" : "default",
      quotas: quotas.length > 0 ? "proto" : "default",
      access: access ? "proto" : "default",
    },
  };
  problems.push(...repeatedIds(quotas).map(({ id }) => `quota "${id}" is declared twice`));
  // Clients hold to it. A worker only tells its author what is wrong with it, before any client does.
  attemptPolicyOf(method, problems);
  if (problems.length === 0) return policy;
  throw new PolicyError(...problems.map((problem) => `${methodName(method)}: ${problem}`));
}

/** The same policy for a worker that leaves quotas to the one behind it. */
export function withoutQuotas(policy: MethodPolicy): MethodPolicy {
  return { ...policy, quotas: [], sources: { ...policy.sources, quotas: NO_POLICY.sources.quotas } };
}

/** The rule of a quota for one method. @throws PolicyError with everything that is wrong with it. */
export function quotaRule({ id, subject, limit, window, per }: Quota, method: DescMethod): QuotaRule {
  const where = `quota ${JSON.stringify(id)}`;
  const problems: string[] = [];
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) {
    problems.push(`${where}: expected an id of lower-case words joined by hyphens`);
  }
  if (limit === undefined) problems.push(`${where} has no limit: expected a whole number from 0`);
  const windowMs = gather(problems, () => window && atLeast1Ms(`${where}: window`, window));
  const who = gather(problems, () => parseSubject(subject, method, where));
  const streamsRequests = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (who?.kind === "request" && per === Quota_Per.CALL && streamsRequests) {
    problems.push(
      `${where} counts calls by ${subject}, but a call that streams its requests opens before the first of them: expected per: MESSAGE, or a subject other than a request field`,
    );
  }
  if (problems.length > 0 || limit === undefined || who === undefined) throw new PolicyError(...problems);
  return { id, subject: who, limit, windowMs, per: per === Quota_Per.MESSAGE ? "message" : "call" };
}

/** The quotas whose id one before them has already. */
export function repeatedIds<Item extends { readonly id: string }>(quotas: readonly Item[]): Item[] {
  return quotas.filter(({ id }, index) => quotas.findIndex((other) => other.id === id) < index);
}

/** Milliseconds of a duration that has to be some. @throws PolicyError naming `what`. */
export function atLeast1Ms(what: string, duration: Duration): number {
  const ms = durationMs(duration);
  if (ms < 1) throw new PolicyError(`${what} is ${ms}ms: expected at least 1ms`);
  return ms;
}
