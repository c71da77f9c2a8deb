import { formatDurationMs } from "@gantry/rpc";
import type { QuotaRule } from "../policy/policy.ts";

/** The same for rules that count alike: what is counted under one key is one count, whatever the method. */
export function ruleKey({ id, limit, windowMs, subject, per }: QuotaRule): string {
  return JSON.stringify([id, limit, windowMs, subject.source, per]);
}

/** The rule as people read it: `at most 60 calls per 60s for each name`. */
export function describeRule({ limit, windowMs, subject, per }: QuotaRule): string {
  const calls = `${limit} ${per}${limit === 1 ? "" : "s"}`;
  const time =
    windowMs === undefined ? "for as long as the worker lives" : `per ${formatDurationMs(windowMs)}`;
  const whom = subject.kind === "everybody" ? "for all callers together" : `for each ${subject.label}`;
  return windowMs === undefined ? `at most ${calls} ${whom}, ${time}` : `at most ${calls} ${time} ${whom}`;
}
