import type { DescMethod } from "@bufbuild/protobuf";
import { methodName } from "./method.ts";
import { MethodStats } from "./method-stats.ts";

/** A method that clients of this process call, and what has been counted of those calls. */
export interface CalledMethod {
  readonly desc: DescMethod;
  readonly stats: MethodStats;
}

/** All of a process's clients count together, as its metrics tell nothing of single clients. */
const called = new Map<string, CalledMethod>();

/** The counts of a method's calls; they are there, at zero, from the first time that they are asked for. */
export function clientStatsOf(desc: DescMethod): MethodStats {
  const name = methodName(desc);
  let method = called.get(name);
  if (!method) {
    method = { desc, stats: new MethodStats() };
    called.set(name, method);
  }
  return method.stats;
}

/** Every method that clients of this process may call. */
export function calledMethods(): readonly CalledMethod[] {
  return [...called.values()];
}
