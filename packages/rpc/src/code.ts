/**
 * The status codes of gRPC, by the names that the gRPC specification gives them.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
 */
export const Code = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The name on the wire's documents: `codeName(Code.NotFound)` is `NOT_FOUND`. Unknown numbers are `CODE(n)`. */
export function codeName(code: number): string {
  return NAMES[code] ?? `CODE(${code})`;
}

/**
 * The name that the gRPC ecosystem's Prometheus metrics use for the label `grpc_code`, which is
 * what grpc-go calls the code: `NotFound`, `OK`, `Canceled`. A number that is no code of gRPC is
 * `Unknown`, so that the label stays bounded.
 */
export function codeLabel(code: number): string {
  return CODE_LABELS[code] ?? "Unknown";
}

/** Every value of the label `grpc_code`, at the index of its code. */
export const CODE_LABELS: readonly string[] = Object.keys(Code).map((name) => {
  if (name === "Ok") return "OK";
  return name === "Cancelled" ? "Canceled" : name;
});
