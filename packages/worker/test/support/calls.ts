import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Metadata } from "@gantry/rpc";
import { Call, type Wire } from "../../src/call.ts";
import { createLogTo } from "../../src/log.ts";
import { Method } from "../../src/method.ts";
import { type MethodPolicy, NO_POLICY, type QuotaRule } from "../../src/policy/policy.ts";
import { parseSubject } from "../../src/quota/subject.ts";
import { CallTrace } from "../../src/trace/call-trace.ts";

export interface CallParts {
  readonly peer?: string;
  readonly connection?: object;
  readonly certificateNames?: readonly string[];
  readonly headers?: Metadata;
  readonly request?: Message;
  readonly requests?: AsyncIterable<Message>;
}

/** A call as a transport makes it, with nothing behind it. */
export function callOf(
  method: Method,
  { peer = "127.0.0.1:4711", connection, certificateNames = [], headers, request, requests }: CallParts = {},
): Call {
  const wire: Wire = {
    protocol: "grpc",
    metadata: () => headers ?? new Metadata(),
    header: (key) => headers?.get(key),
    peer: () => peer,
    connection: () => connection,
    certificateNames: () => certificateNames,
    sendHeaders: () => {},
    prepare: () => {},
    aborted: () => {},
  };
  const trace = new CallTrace(undefined, undefined);
  const host = { log: createLogTo(() => {}), calls: new Set<Call>() };
  return new Call(host, method, wire, trace, request, requests, undefined);
}

export function methodOf(
  desc: DescMethod,
  quotas: readonly QuotaRule[],
  options = { inBand: false },
): Method {
  const policy: MethodPolicy = { ...NO_POLICY, quotas };
  return new Method(desc, policy, options);
}

/** A rule of this method; its subject as policies write it. */
export function ruleOf(
  desc: DescMethod,
  { id = "some-quota", subject = "", limit = 1, windowMs, per = "call" }: RuleParts,
): QuotaRule {
  return { id, subject: parseSubject(subject, desc, `quota "${id}"`), limit, windowMs, per };
}

export interface RuleParts {
  readonly id?: string;
  readonly subject?: string;
  readonly limit?: number;
  readonly windowMs?: number;
  readonly per?: "call" | "message";
}
