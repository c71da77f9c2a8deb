import { codeName, codeTone } from "../parts/codes.ts";
import { duration, json } from "../parts/format.ts";
import { href } from "../route.ts";
import type { CallState, Passed, Status, Texts } from "./call.ts";
import { Refusal } from "./refusal.tsx";

/** What came of a call: messages as they come, then its status and all that came with it. */
export function Outcome({ state }: { state: CallState | undefined }) {
  if (!state) {
    return (
      <section class="card outcome" aria-label="Answer">
        <h2>Answer</h2>
        <p class="hint">Nothing was called yet. Ctrl+Enter calls.</p>
      </section>
    );
  }
  const { running, status, passed, dropped, headers, trailers, tookMs, traceId, complaint } = state;
  return (
    <section class="card outcome" aria-label="Answer" aria-busy={running}>
      <div class="head">
        <h2>Answer</h2>
        {traceId !== undefined && !running && <a href={href("traces", traceId)}>Trace</a>}
      </div>
      <p class="status" role="status">
        {status ? (
          <>
            <span class={`badge ${codeTone(status.code)}`}>{codeName(status.code)}</span> in{" "}
            {duration(tookMs)}
          </>
        ) : (
          <span class="badge">running …</span>
        )}
      </p>
      {status && status.code !== 0 && <Failure status={status} endedAt={state.endedAt} />}
      {complaint !== undefined && <p class="problem">{complaint}</p>}
      {dropped > 0 && <p class="hint">{dropped} earlier messages are not shown.</p>}
      <ol class="messages" aria-label="Messages">
        {passed.map((each, index) => (
          // The messages only ever grow at the end, but for those that are dropped.
          <Message key={dropped + index} {...each} />
        ))}
      </ol>
      <Table title="Headers" texts={headers} />
      <Table title="Trailers" texts={trailers} />
    </section>
  );
}

function Failure({ status, endedAt }: { status: Status; endedAt: number }) {
  return (
    <>
      <p class="problem">{status.message}</p>
      <Refusal status={status} endedAt={endedAt} />
      {status.details.map((detail, index) => {
        const { "@type": type, ...rest } = detail;
        return (
          // Details have no names but their places.
          <details key={index}>
            <summary>{String(type).replace(/^.*[./]/, "")}</summary>
            <pre>{json(rest)}</pre>
          </details>
        );
      })}
    </>
  );
}

function Message({ way, atMs, message }: Passed) {
  return (
    <li class={way}>
      <span class="way">
        {way === "sent" ? "↑ sent" : "↓ received"} <small>{duration(atMs)}</small>
      </span>
      <pre>{json(message)}</pre>
    </li>
  );
}

function Table({ title, texts }: { title: string; texts: Texts }) {
  const entries = Object.entries(texts);
  if (entries.length === 0) return null;
  return (
    <details open>
      <summary>{title}</summary>
      <dl class="pairs">
        {entries.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
