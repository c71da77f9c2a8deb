/** Calls that a quota refuses, and what they are told. */
import assert from "node:assert/strict";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Asked, Outcome } from "./protocol.ts";
import { CHAT, detail, HELLO, REPLIES } from "./rows.ts";
import type { Way } from "./ways.ts";

export interface Refusal {
  readonly asked: Asked;
  readonly id: string;
  readonly counts: "calls" | "messages";
  readonly rule: string;
  readonly limit: number;
  /** At most so long until the next one fits; undefined: it never does. */
  readonly waitMs: number | undefined;
}

/** The quotas below, as a policy file of the worker has them. */
export const QUOTAS = `methods:
  ${HELLO}: { quotas: [{ id: once-an-hour, subject: metadata.x-caller, limit: 1, window: 3600s }] }
  ${REPLIES}: { quotas: [{ id: once, subject: metadata.x-caller, limit: 1 }] }
  ${CHAT}: { quotas: [{ id: two-messages, subject: metadata.x-caller, limit: 2, window: 3600s, per: MESSAGE }] }
`;

export const REFUSALS: Readonly<Record<string, Refusal>> = {
  "a call past its quota": {
    asked: { method: HELLO, requests: [{ name: "a" }] },
    id: "once-an-hour",
    counts: "calls",
    rule: "at most 1 call per 3600s for each x-caller",
    limit: 1,
    waitMs: 3_600_000,
  },
  "a call past a quota that never refills": {
    asked: { method: REPLIES, requests: [{ name: "a" }] },
    id: "once",
    counts: "calls",
    rule: "at most 1 call for each x-caller, for as long as the worker lives",
    limit: 1,
    waitMs: undefined,
  },
  "a message past its quota, behind answers": {
    asked: { method: CHAT, requests: [{ name: "a" }, { name: "b" }, { name: "c" }] },
    id: "two-messages",
    counts: "messages",
    rule: "at most 2 messages per 3600s for each x-caller",
    limit: 2,
    waitMs: 1_800_000,
  },
};

/** Holds what a caller was told to the quota that refused it. */
export function tellsOf(refusal: Refusal, way: Way, outcome: Outcome, caller: string): void {
  const { id, counts, rule, limit, waitMs } = refusal;
  const { retryDelayMs, others } = splitOff(outcome.details);
  assert.equal(outcome.code, "RESOURCE_EXHAUSTED");
  assert.deepEqual(others, [
    detail("QuotaFailure", {
      violations: [
        {
          subject: `x-caller:${caller}`,
          description: rule,
          apiService: "greeter.v1.Greeter",
          quotaMetric: counts,
          quotaId: id,
          quotaDimensions: { "x-caller": caller },
          quotaValue: String(limit),
        },
      ],
    }),
    detail("ErrorInfo", {
      reason: "QUOTA_EXCEEDED",
      domain: "greeter.v1.Greeter",
      metadata: { quotaId: id },
    }),
  ]);
  const words = `Quota "${id}" is used up for x-caller:${caller}: ${rule}.`;
  assert.ok(outcome.message.startsWith(words), outcome.message);

  const { "grpc-retry-pushback-ms": pushback, "retry-after": retryAfter } = outcome.metadata;
  if (waitMs === undefined) {
    assert.equal(retryDelayMs, undefined);
    assert.equal(retryAfter, undefined);
    assert.match(outcome.message, /No wait will help\.$/);
  } else {
    assert.ok(retryDelayMs !== undefined && retryDelayMs > waitMs - 60_000 && retryDelayMs <= waitMs);
    assert.match(outcome.message, /Try again in [\d.]+s\.$/);
  }
  // Trailers of REST's streams are for clients that ask for them, and a client of GraphQL gets to see none.
  const behindAnswers = outcome.replies.length > 0;
  const showsTrailers = way.name !== "graphql" && !(way.name === "rest" && behindAnswers);
  const expectedPushback = retryDelayMs === undefined ? "-1" : String(Math.ceil(retryDelayMs));
  assert.equal(pushback, showsTrailers ? expectedPushback : undefined);
  // HTTP's own word for it, where the refusal is the whole answer.
  if (retryDelayMs !== undefined) {
    const whole = (way.name === "rest" || way.name === "connect") && !behindAnswers;
    assert.equal(retryAfter, whole ? String(Math.ceil(retryDelayMs / 1_000)) : undefined);
  }
}

/** The delay of the `RetryInfo`, and the other details. */
function splitOff(details: readonly JsonValue[]): { retryDelayMs: number | undefined; others: JsonValue[] } {
  const delays = details.map((each) => Object(each).retryDelay);
  const [delay] = delays.filter((each) => each !== undefined);
  return {
    retryDelayMs: delay === undefined ? undefined : Math.round(Number.parseFloat(delay) * 1e9) / 1e6,
    others: details.filter((_, at) => delays[at] === undefined),
  };
}
