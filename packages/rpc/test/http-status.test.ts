import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, codeName, codeOfHttpStatus, httpStatusOf } from "@gantry/rpc";

test("each code has the HTTP status that google.rpc.Code documents", () => {
  const statuses = Object.values(Code).map((code) => [codeName(code), httpStatusOf(code)]);
  assert.deepEqual(Object.fromEntries(statuses), {
    OK: 200,
    CANCELLED: 499,
    UNKNOWN: 500,
    INVALID_ARGUMENT: 400,
    DEADLINE_EXCEEDED: 504,
    NOT_FOUND: 404,
    ALREADY_EXISTS: 409,
    PERMISSION_DENIED: 403,
    RESOURCE_EXHAUSTED: 429,
    FAILED_PRECONDITION: 400,
    ABORTED: 409,
    OUT_OF_RANGE: 400,
    UNIMPLEMENTED: 501,
    INTERNAL: 500,
    UNAVAILABLE: 503,
    DATA_LOSS: 500,
    UNAUTHENTICATED: 401,
  });
});

test("a number that is no code is a server error", () => {
  for (const code of [17, -1, Number.NaN]) assert.equal(httpStatusOf(code), 500);
});

test("an HTTP answer without a gRPC status has the code that gRPC's mapping gives it", () => {
  const codes = [400, 401, 403, 404, 429, 502, 503, 504].map((status) => codeName(codeOfHttpStatus(status)));
  assert.deepEqual(codes, [
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "UNIMPLEMENTED",
    "UNAVAILABLE",
    "UNAVAILABLE",
    "UNAVAILABLE",
    "UNAVAILABLE",
  ]);
  for (const status of [200, 302, 409, 500]) assert.equal(codeOfHttpStatus(status), Code.Unknown);
});
