/** Calls, and what has to come of them by every protocol. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ALICE, BOB } from "../../../packages/worker/test/support/auth.ts";
import type { Asked, Outcome } from "./protocol.ts";

/** What is the same by every protocol. */
export type Told = Pick<Outcome, "replies" | "code" | "message" | "details">;

export type Rows = Readonly<Record<string, readonly [Asked, Told]>>;

export function ok(...replies: readonly JsonObject[]): Told {
  return { replies, code: "OK", message: "", details: [] };
}

/** @param replies those that came before it failed */
export function failed(
  code: string,
  message: string,
  details: readonly JsonValue[] = [],
  replies: readonly JsonObject[] = [],
): Told {
  return { replies, code, message, details };
}

/** @param type such as `ErrorInfo` */
export function detail(type: string, fields: JsonObject): JsonObject {
  return { "@type": `type.googleapis.com/google.rpc.${type}`, ...fields };
}

function violation(field: string, description: string, reason: string): JsonObject[] {
  return [detail("BadRequest", { fieldViolations: [{ field, description, reason }] })];
}

export function bearer({ token }: { readonly token: string }): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

export const HELLO = "greeter.v1.Greeter/SayHello";
export const REPLIES = "greeter.v1.Greeter/LotsOfReplies";
export const GREETINGS = "greeter.v1.Greeter/LotsOfGreetings";
export const CHAT = "greeter.v1.Greeter/BidiHello";

const NOBODY = failed(
  "UNAUTHENTICATED",
  "The call does not show who makes it: its credentials are missing or not valid.",
  [detail("ErrorInfo", { reason: "UNAUTHENTICATED", domain: "gantry" })],
);
const notAllowed = (method: string) =>
  failed("PERMISSION_DENIED", "The caller may not call this method.", [
    detail("ErrorInfo", { reason: "PERMISSION_DENIED", domain: "gantry", metadata: { method } }),
  ]);
const NO_NAME = "HelloRequest is not valid: name must be at least 1 characters.";
const NAMELESS = violation("name", "must be at least 1 characters", "string.min_len");
const MOST = "9223372036854775807";
const PAST_INT64 = "the sum so far, 9223372036854775808, does not fit in int64";

/** Calls of the services as they are. Divide and RunningSum are for who may read dishes. */
export const ROWS: Rows = {
  "a call with one answer": [{ method: HELLO, requests: [{ name: "七米" }] }, ok({ reply: "Hello 七米" })],
  "numbers of 64 bits, exactly": [
    { method: "math.v1.Math/Divide", requests: [{ dividend: MOST, divisor: "-2" }] },
    ok({ quotient: "-4611686018427387903", remainder: "1" }),
  ],
  "fields that are zero": [{ method: "math.v1.Math/Sum", requests: [{}] }, ok({ val: 0 })],
  "a stream of answers": [
    { method: "math.v1.Math/Fibonacci", requests: [{ limit: 3 }] },
    ok({ val: "0" }, { val: "1" }, { val: "1" }),
  ],
  "a stream without an answer": [{ method: "math.v1.Math/Fibonacci", requests: [{ limit: 0 }] }, ok()],
  "a stream of requests": [
    { method: GREETINGS, requests: [{ name: "七" }, { name: "米" }] },
    ok({ reply: "你好：七米" }),
  ],
  "streams both ways": [
    { method: CHAT, requests: [{ name: "你好吗？" }, { name: "米" }] },
    ok({ reply: "我好!" }, { reply: "米" }),
  ],
  "a request that is not valid": [
    { method: HELLO, requests: [{ name: "x".repeat(257) }] },
    failed(
      "INVALID_ARGUMENT",
      "HelloRequest is not valid: name must be at most 256 characters.",
      violation("name", "must be at most 256 characters", "string.max_len"),
    ),
  ],
  "a request that is not valid, of a stream of answers": [
    { method: "math.v1.Math/Fibonacci", requests: [{ limit: 95 }] },
    failed(
      "INVALID_ARGUMENT",
      "FibonacciRequest is not valid: limit must be less than or equal to 94.",
      violation("limit", "must be less than or equal to 94", "uint32.lte"),
    ),
  ],
  "a second request that is not valid": [
    { method: GREETINGS, requests: [{ name: "七" }, { name: "" }] },
    failed("INVALID_ARGUMENT", NO_NAME, NAMELESS),
  ],
  "a second request that is not valid, behind an answer": [
    { method: CHAT, requests: [{ name: "七" }, { name: "" }] },
    failed("INVALID_ARGUMENT", NO_NAME, NAMELESS, [{ reply: "七" }]),
  ],
  "no requests": [
    { method: "math.v1.Math/Accumulate", requests: [] },
    failed("FAILED_PRECONDITION", "No numbers were sent: expected at least one."),
  ],
  "a handler that refuses, with details": [
    { method: "math.v1.Math/Divide", requests: [{ dividend: "1" }] },
    failed(
      "INVALID_ARGUMENT",
      "The divisor is 0: expected any other number.",
      violation("divisor", "is 0: expected any other number", "DIVISION_BY_ZERO"),
    ),
  ],
  "a handler that refuses, behind an answer": [
    { method: "math.v1.Math/RunningSum", requests: [{ val: MOST }, { val: "1" }] },
    failed("OUT_OF_RANGE", `Out of range: ${PAST_INT64}.`, violation("val", PAST_INT64, "OVERFLOW"), [
      { val: MOST },
    ]),
  ],
  "who shows nothing": [{ method: HELLO, requests: [{ name: "a" }], headers: {} }, NOBODY],
  "who shows a token that is not known": [
    { method: REPLIES, requests: [{ name: "a" }], headers: bearer({ token: "mallory-s-token" }) },
    NOBODY,
  ],
  "who shows a token that is past its time": [
    { method: GREETINGS, requests: [{ name: "a" }], headers: bearer({ token: ALICE.expiredToken }) },
    NOBODY,
  ],
  "who shows an app's key": [
    {
      method: CHAT,
      requests: [{ name: "a" }],
      headers: { appid: ALICE.app.id, appkey: ALICE.app.key },
    },
    ok({ reply: "a" }),
  ],
  "who may not call": [
    { method: "math.v1.Math/Divide", requests: [{ divisor: "1" }], headers: bearer(BOB) },
    notAllowed("math.v1.Math/Divide"),
  ],
  "who may not call what streams": [
    { method: "math.v1.Math/RunningSum", requests: [{ val: "1" }], headers: bearer(BOB) },
    notAllowed("math.v1.Math/RunningSum"),
  ],
  "what anybody may call": [
    { method: "math.v1.Math/Version", requests: [{}], headers: {} },
    ok({ val: "0.1.0" }),
  ],
};
