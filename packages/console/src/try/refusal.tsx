import { useEffect, useState } from "preact/hooks";
import type { Status } from "./call.ts";

interface Violation {
  readonly subject?: string;
  readonly description?: string;
  readonly quotaId?: string;
}

/** What a quota refused, as a sentence, and how long it is until the next call is let in. */
export function Refusal({ status, endedAt }: { status: Status; endedAt: number }) {
  const violations = status.details
    .filter((detail) => String(detail["@type"]).endsWith("google.rpc.QuotaFailure"))
    // A detail is its message in JSON.
    .flatMap((detail) => (detail.violations as readonly Violation[] | undefined) ?? []);
  const retry = status.details.find((detail) => String(detail["@type"]).endsWith("google.rpc.RetryInfo"));
  const waitMs = retry ? Number.parseFloat(String(retry.retryDelay)) * 1_000 : undefined;
  if (violations.length === 0 && waitMs === undefined) return null;
  return (
    <div class="refusal">
      {violations.map(({ quotaId, subject, description }) => (
        <p key={quotaId}>
          The quota <strong>{quotaId}</strong> lets in {description}, and <strong>{subject}</strong> has used
          it up.
        </p>
      ))}
      {waitMs === undefined ? (
        violations.length > 0 && <p>No wait will help.</p>
      ) : (
        <Countdown until={endedAt + waitMs} waitMs={waitMs} />
      )}
    </div>
  );
}

function Countdown({ until, waitMs }: { until: number; waitMs: number }) {
  const [now, setNow] = useState(Date.now);
  const left = Math.max(0, until - now);
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(() => setNow(Date.now()), 100);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div class="countdown" role="timer">
      <span>
        {left > 0
          ? `The next call is allowed in ${(Math.ceil(left / 100) / 10).toFixed(1)} s`
          : "The next call is allowed now"}
      </span>
      <progress max={waitMs} value={waitMs - left} />
    </div>
  );
}
