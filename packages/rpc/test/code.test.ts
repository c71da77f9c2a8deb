import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE_LABELS, Code, codeLabel, codeName } from "@gantry/rpc";

test("every code has the name that the specification gives it", () => {
  assert.equal(codeName(Code.Ok), "OK");
  assert.equal(codeName(Code.Cancelled), "CANCELLED");
  assert.equal(codeName(Code.ResourceExhausted), "RESOURCE_EXHAUSTED");
  assert.equal(codeName(Code.Unauthenticated), "UNAUTHENTICATED");
  for (const [name, code] of Object.entries(Code)) {
    assert.equal(codeName(code).replaceAll("_", ""), name.toUpperCase());
  }
});

test("a number that is no code is named by its number", () => {
  assert.equal(codeName(17), "CODE(17)");
  assert.equal(codeName(-1), "CODE(-1)");
});

test("metrics label the codes as grpc-go calls them, so that dashboards that exist keep working", () => {
  assert.deepEqual(CODE_LABELS, [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
  ]);
});

test("a number that is no code is labelled Unknown, so that the label stays bounded", () => {
  assert.equal(codeLabel(Code.NotFound), "NotFound");
  for (const code of [17, -1, 1.5, Number.NaN]) assert.equal(codeLabel(code), "Unknown");
});
