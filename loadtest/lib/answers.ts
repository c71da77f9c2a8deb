import type { Example, Message } from "./methods.ts";

/** How a call ended, whichever way it went. */
export interface Answer {
  /** gRPC's number of the status. */
  readonly code: number;
  readonly message: string;
  readonly replies: readonly Message[];
  /** Error details, in protobuf JSON but for the names of fields: k6 has those of streams as the proto writes them. */
  readonly details: readonly Message[];
  /** Names of headers and trailers. Undefined: k6 does not tell, which is so for streams of gRPC. */
  readonly metadata?: readonly string[];
}

export const CODES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"],
  ...["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"],
  ...["UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"],
] as const;

export const OK = 0;
export const UNKNOWN = 2;
export const RESOURCE_EXHAUSTED = 8;
export const UNAVAILABLE = 14;

/** What is wrong with an answer, or undefined. */
export function mismatch(answer: Answer, expected: Example): string | undefined {
  if (answer.code !== expected.code) {
    return `${CODES[answer.code]} (${answer.message}), expected ${CODES[expected.code]}`;
  }
  const fields = violationsOf(answer, ["fieldViolations", "field_violations"]).map(({ field }) => field);
  const unnamed = expected.fields?.find((field) => !fields.includes(field));
  if (unnamed !== undefined) {
    return `no BadRequest that names the field ${unnamed}: ${JSON.stringify(answer.details)}`;
  }
  if (expected.code !== OK) return undefined;
  if (!(expected.replies ? same(answer.replies, expected.replies) : answer.replies.length > 0)) {
    return `${JSON.stringify(answer.replies)}, expected ${JSON.stringify(expected.replies ?? "a reply")}`;
  }
  const missing = expected.metadata?.find((key) => answer.metadata && !answer.metadata.includes(key));
  return missing && `no ${missing} among its headers and trailers: ${answer.metadata?.join(", ")}`;
}

/** Whether a quota has refused the call: it says which one, and when to come again. */
export function refusedByQuota(answer: Answer): boolean {
  return answer.code === RESOURCE_EXHAUSTED && violationsOf(answer, ["violations"]).length > 0;
}

/** Whether a refusal says when to come again. */
export function hasRetryDelay({ details }: Answer): boolean {
  return details.some((detail) => "retryDelay" in detail || "retry_delay" in detail);
}

/** The violations that a BadRequest or a QuotaFailure lists. */
function violationsOf({ details }: Answer, names: readonly string[]): Message[] {
  return details.flatMap((detail) =>
    names.flatMap((name) => (Array.isArray(detail[name]) ? detail[name] : [])),
  );
}

/** Replies are flat messages; k6 shows their fields in no order. */
function same(found: readonly Message[], expected: readonly Message[]): boolean {
  return (
    found.length === expected.length &&
    expected.every((message, index) => {
      const other = found[index] ?? {};
      const keys = Object.keys(message);
      return keys.length === Object.keys(other).length && keys.every((key) => message[key] === other[key]);
    })
  );
}
