import { CodeSchema } from "@gantry/proto/google/rpc/code_pb.js";

/** `RESOURCE_EXHAUSTED` for 8. */
export function codeName(code: number): string {
  return CodeSchema.values.find(({ number }) => number === code)?.name ?? `CODE_${code}`;
}

/** How a status shows: well, refused by a quota, or failed. */
export function codeTone(code: number): "good" | "warn" | "bad" {
  if (code === 0) return "good";
  return code === RESOURCE_EXHAUSTED ? "warn" : "bad";
}

export const RESOURCE_EXHAUSTED = 8;
