/**
 * The errors of REST as the document tells them. Their examples are made by what makes the errors themselves, so
 * they cannot come to differ.
 */
import type { DescMethod, JsonValue } from "@bufbuild/protobuf";
import { RpcError } from "@gantry/rpc";
import { deadlineExceeded } from "../../../call.ts";
import { overloaded } from "../../../interceptors/shed.ts";
import { Method } from "../../../method.ts";
import { NO_POLICY, protoPolicy } from "../../../policy/policy.ts";
import { refusalError } from "../../../quota/refusal.ts";
import { parseSubject } from "../../../quota/subject.ts";
import { statusHeaders } from "../errors.ts";
import type { RestBinding } from "../rest/binding.ts";
import { readRequest } from "../rest/request.ts";
import { statusJson } from "../rest/status.ts";
import type { Answer, Operation } from "./documents.ts";

const STATUS = { $ref: "#/components/schemas/google.rpc.Status" };
const RETRY_AFTER = {
  description: "Seconds after which to try again.",
  schema: { type: "integer", minimum: 0 },
};

/** The errors that are the same for every method. */
export function commonErrors(): Record<string, Answer> {
  return {
    Unauthenticated: answer("UNAUTHENTICATED: who calls is not known."),
    PermissionDenied: answer("PERMISSION_DENIED: who calls may not."),
    NotFound: answer("NOT_FOUND: what the request names is not there."),
    Unavailable: answer("UNAVAILABLE: the worker is overloaded or stopping.", overloaded(10_000)),
    DeadlineExceeded: answer("DEADLINE_EXCEEDED: the time of the call has passed.", deadlineExceeded()),
    Error: answer("Any other error; `code` says which."),
  };
}

/** What a method's calls may fail with, by HTTP status. */
export function errorAnswers(binding: RestBinding): Operation["responses"] {
  const common = (name: keyof ReturnType<typeof commonErrors>) => ({
    $ref: `#/components/responses/${name}`,
  });
  return {
    400: answer(
      "INVALID_ARGUMENT: the request is not valid, or OUT_OF_RANGE: what it asks for is not.",
      badRequestOf(binding),
    ),
    401: common("Unauthenticated"),
    403: common("PermissionDenied"),
    404: common("NotFound"),
    429: answer(
      "RESOURCE_EXHAUSTED: a quota is used up, or a message is too large.",
      refusedOf(binding.method),
    ),
    503: common("Unavailable"),
    504: common("DeadlineExceeded"),
    default: common("Error"),
  };
}

function answer(description: string, error?: RpcError): Answer {
  const example = error && exampleOf(error);
  return {
    description,
    ...(error && "retry-after" in statusHeaders(error) && { headers: { "Retry-After": RETRY_AFTER } }),
    content: { "application/json": { schema: STATUS, ...(example !== undefined && { example }) } },
  };
}

function exampleOf(error: RpcError): JsonValue {
  return JSON.parse(statusJson(error));
}

/** What the method answers to a field that it does not have. */
function badRequestOf(binding: RestBinding): RpcError | undefined {
  const name = "no_such_field";
  try {
    const [query, body] = binding.body === "none" ? [`${name}=1`] : ["", JSON.stringify({ [name]: 1 })];
    readRequest(binding, [], query, body);
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  // A request that takes any JSON has no such field.
  return undefined;
}

/** What the method answers when its first quota is used up, or that of another if it has none. */
function refusedOf(desc: DescMethod): RpcError {
  const [rule = otherQuota(desc)] = protoPolicy(desc).quotas;
  const subject = rule.subject.kind === "peer" ? "192.0.2.1" : "someone";
  const refusal = { charge: { rule, subject }, retryAfterMs: 1_000 };
  return refusalError(new Method(desc, NO_POLICY, { inBand: false }), [refusal], refusal);
}

function otherQuota(desc: DescMethod) {
  const id = "calls-per-peer";
  const subject = parseSubject("peer", desc, id);
  return { id, subject, limit: 600, windowMs: 60_000, per: "call" } as const;
}
