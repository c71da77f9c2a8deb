import assert from "node:assert/strict";
import { Code, codeName, httpStatusOf } from "@gantry/rpc";
import { ALICE } from "../../../packages/worker/test/support/auth.ts";
import { type Asked, contractOf, type Outcome } from "./protocol.ts";
import { bearer, type Told } from "./rows.ts";
import { byEach, type Way } from "./ways.ts";

/**
 * REST's status is the code's, unless it left with a first answer before there was a code. GraphQL's tells that the
 * request was read: one request may make several calls.
 */
function httpStatusBy({ name, byGateway }: Way, { code, replies }: Told): number | undefined {
  if (name === "graphql") return 200;
  if (name !== "rest") return undefined;
  if (replies.length > 0) return 200;
  const status = httpStatusOf(Object.values(Code).find((each) => codeName(each) === code) ?? Code.Unknown);
  // A worker that failed is no fault of the gateway's.
  return byGateway && status === 500 ? 502 : status;
}

/** Those that have the method's kind of call. */
export function waysOf(ways: readonly Way[], method: string): Way[] {
  const { methodKind } = contractOf(method);
  return ways.filter(({ kinds }) => kinds.has(methodKind));
}

let asking = 0;

/** Makes a call by every way that has it, as alice unless it says otherwise, and each time as another `x-caller`. */
export function byAll(ways: readonly Way[], asked: Asked): Promise<Record<string, Outcome>> {
  asking += 1;
  return byEach(waysOf(ways, asked.method), ({ title }) => ({
    ...asked,
    headers: { "x-caller": `${title} ${asking}`, ...(asked.headers ?? bearer(ALICE)) },
  }));
}

/** Holds a call to what has to come of it by every way alike. */
export async function isAlike(ways: readonly Way[], asked: Asked, expected: Told): Promise<void> {
  const outcomes = await byAll(ways, asked);
  const told = Object.entries(outcomes).map(([title, { metadata: _, ...rest }]) => [title, rest]);
  const all = waysOf(ways, asked.method).map((way) => {
    const httpStatus = httpStatusBy(way, expected);
    return [way.title, httpStatus === undefined ? expected : { ...expected, httpStatus }];
  });
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(all));
}
