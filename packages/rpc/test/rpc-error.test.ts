import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary } from "@bufbuild/protobuf";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "@gantry/proto/google/rpc/error_details_pb.js";
import { StatusSchema } from "@gantry/proto/google/rpc/status_pb.js";
import { badRequest, Code, detail, errorInfo, Metadata, RpcError, retryInfo } from "@gantry/rpc";

test("details come back typed after a trip over the wire, several of one type in their order", () => {
  const sent = new RpcError(Code.ResourceExhausted, "七米 has been greeted.", [
    detail(QuotaFailureSchema, create(QuotaFailureSchema, { violations: [{ subject: "name:七米" }] })),
    retryInfo(1_500),
    errorInfo("OVER_QUOTA", "greeter.v1", { quota: "once" }),
    errorInfo("SECOND", "greeter.v1"),
  ]);

  const received = RpcError.fromWire(sent.code, sent.message, sent.detailsBinary());

  assert.equal(received.code, Code.ResourceExhausted);
  assert.equal(received.message, "七米 has been greeted.");
  assert.equal(received.details(QuotaFailureSchema)[0]?.violations[0]?.subject, "name:七米");
  assert.deepEqual(received.details(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n);
  assert.deepEqual(received.details(RetryInfoSchema)[0]?.retryDelay?.nanos, 500_000_000);
  const [first, second] = received.details(ErrorInfoSchema);
  assert.deepEqual(
    [first?.reason, first?.metadata, second?.reason],
    ["OVER_QUOTA", { quota: "once" }, "SECOND"],
  );
  assert.deepEqual(received.details(BadRequestSchema), []);
});

test("what travels is a google.rpc.Status with the same code and message", () => {
  const error = new RpcError(Code.NotFound, "No such person.", [errorInfo("NO_PERSON", "people.v1")]);
  const binary = error.detailsBinary();
  assert.ok(binary);
  const status = fromBinary(StatusSchema, binary);
  assert.equal(status.code, 5);
  assert.equal(status.message, "No such person.");
  assert.deepEqual(
    status.details.map(({ typeUrl }) => typeUrl),
    ["type.googleapis.com/google.rpc.ErrorInfo"],
  );
});

test("an error without details sends none", () => {
  assert.equal(new RpcError(Code.NotFound, "No such person.").detailsBinary(), undefined);
});

test("details that cannot be decoded do not hide the status that they came with", () => {
  const garbage = RpcError.fromWire(Code.Aborted, "Try again.", Uint8Array.of(255, 255, 255));
  assert.deepEqual([garbage.code, garbage.message], [Code.Aborted, "Try again."]);
  assert.deepEqual(garbage.details(ErrorInfoSchema), []);

  const status = create(StatusSchema, {
    details: [
      { typeUrl: "type.googleapis.com/google.rpc.ErrorInfo", value: Uint8Array.of(255) },
      { typeUrl: "", value: Uint8Array.of(1) },
    ],
  });
  const broken = new RpcError(Code.Aborted, "Try again.", status.details);
  assert.deepEqual(broken.details(ErrorInfoSchema), []);
});

test("details of types that are not known here are passed on as they came", () => {
  const foreign = create(StatusSchema, {
    details: [{ typeUrl: "type.example.com/acme.v1.Surprise", value: Uint8Array.of(8, 1) }],
  }).details;
  const passedOn = RpcError.fromWire(
    Code.Internal,
    "",
    new RpcError(Code.Internal, "", foreign).detailsBinary(),
  ).toStatus().details[0];
  assert.equal(passedOn?.typeUrl, "type.example.com/acme.v1.Surprise");
  assert.deepEqual(passedOn?.value, Uint8Array.of(8, 1));
});

test("a bad request names every violation", () => {
  const error = new RpcError(Code.InvalidArgument, "Two fields are wrong.", [
    badRequest([
      { field: "name", description: "is empty", reason: "string.min_len" },
      { field: "user.tags[2]", description: "is too long" },
    ]),
  ]);
  assert.deepEqual(
    error.details(BadRequestSchema)[0]?.fieldViolations.map(({ field, description, reason }) => ({
      field,
      description,
      reason,
    })),
    [
      { field: "name", description: "is empty", reason: "string.min_len" },
      { field: "user.tags[2]", description: "is too long", reason: "" },
    ],
  );
});

test("an error keeps its cause and its trailers, and says its code in text", () => {
  const cause = new Error("disk full");
  const error = new RpcError(Code.Unavailable, "Try later.", [], {
    cause,
    metadata: new Metadata([["x-shard", "3"]]),
  });
  assert.equal(error.cause, cause);
  assert.equal(error.metadata.get("x-shard"), "3");
  assert.equal(String(error), "RpcError: UNAVAILABLE: Try later.");
  assert.ok(error instanceof Error);
  assert.ok(!("cause" in new RpcError(Code.Unavailable, "Try later.")));
  assert.equal(new RpcError(Code.Unavailable, "Try later.").metadata.size, 0);
});
