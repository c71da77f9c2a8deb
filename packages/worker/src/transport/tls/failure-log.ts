import type { Logger } from "../../log.ts";
import type { HandshakeFailure } from "./handshake-failure.ts";
import type { FailureReason } from "./tls-stats.ts";

/** A stranger can fail as often as he likes: of each reason, one line is logged in so much time. */
const QUIET_MS = 10_000;

/** Counts each failure, and logs the first of its reason with how many of them were not logged before. */
export function failureLog(
  log: Logger,
  counts: Record<FailureReason, number>,
): (failure: HandshakeFailure, peer: string) => void {
  const last = new Map<FailureReason, { at: number; count: number }>();
  return ({ reason, text }, peer) => {
    counts[reason] += 1;
    const now = performance.now();
    const logged = last.get(reason);
    if (logged && now - logged.at < QUIET_MS) return;
    const unlogged = logged ? counts[reason] - logged.count - 1 : 0;
    last.set(reason, { at: now, count: counts[reason] });
    log.warn(
      { peer, reason: text, ...(unlogged > 0 && { unlogged }) },
      "a TLS connection did not come about",
    );
  };
}
