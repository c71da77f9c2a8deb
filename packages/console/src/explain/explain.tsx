import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Answer, askMethod, catalog } from "../gateway.ts";
import { Empty } from "../parts/empty.tsx";
import { href } from "../route.ts";
import { useStore } from "../store.ts";
import { isRuntimes } from "../try/catalog.ts";

/** gantry.v1.ExplainedMethod in JSON, as far as it is shown. */
interface Explained {
  readonly method: string;
  readonly policy?: {
    readonly timeout?: { readonly default?: string; readonly max?: string };
    readonly quotas?: readonly Quota[];
    readonly access?: { readonly open?: boolean; readonly scopes?: readonly string[] };
    readonly retry?: Answer;
    readonly hedging?: Answer;
  };
  readonly sources?: Readonly<Record<string, string>>;
  readonly interceptors?: readonly string[];
}

interface Quota {
  readonly id: string;
  readonly subject: string;
  readonly limit?: number;
  readonly window?: string;
  readonly per: string;
}

/** What is in force per method, and where each value came from. */
export function Explain({ parts: [asked = ""] }: { parts: readonly string[] }) {
  const known = useStore(catalog);
  const [all, setAll] = useState(false);
  const worker = known?.workers.find(({ name }) => name === asked) ?? known?.workers[0];
  const answer = useExplained(worker?.name, known);
  if (!known) return <Empty title="Asking the workers …">What is in force shows here in a moment.</Empty>;
  if (!worker) return <Empty title="No workers">The gateway was told of none: see CONSOLE_WORKERS.</Empty>;
  const shown = answer?.methods?.filter(({ method }) => all || !isRuntimes(method));
  return (
    <div class="page">
      <div class="head">
        <h1>Explain</h1>
        <nav class="toggle" aria-label="Workers">
          {known.workers.map(({ name }) => (
            <a
              key={name}
              href={href("explain", name)}
              aria-current={name === worker.name ? "true" : undefined}
            >
              {name}
            </a>
          ))}
        </nav>
        <label class="check">
          <input
            type="checkbox"
            checked={all}
            onChange={({ currentTarget }) => setAll(currentTarget.checked)}
          />
          health, reflection, admin
        </label>
      </div>
      {answer?.problem !== undefined && (
        <Empty title={`${worker.name} does not answer`}>
          {answer.problem} It is asked again when it is back.
        </Empty>
      )}
      {shown?.map((method) => (
        <Method key={method.method} {...method} />
      ))}
      {answer && shown?.length === 0 && (
        <Empty title="Nothing of its own">
          {worker.name} serves what every worker serves, and nothing more.
        </Empty>
      )}
    </div>
  );
}

interface ExplainAnswer {
  readonly methods?: readonly Explained[];
  readonly problem?: string;
}

/** Asked anew whenever a worker came or went. */
function useExplained(worker: string | undefined, known: unknown): ExplainAnswer | undefined {
  const [answer, setAnswer] = useState<ExplainAnswer | undefined>(undefined);
  useEffect(() => {
    if (worker === undefined) return;
    let isLeft = false;
    void askMethod(`${worker}:gantry.v1.Admin/Explain`).then(({ message, error }) => {
      if (isLeft) return;
      // The gateway answers with the message in JSON, or with a google.rpc.Status.
      if (error) setAnswer({ problem: (error as { message: string }).message });
      else setAnswer(message as ExplainAnswer);
    });
    return () => {
      isLeft = true;
    };
  }, [worker, known]);
  return answer;
}

function Method({ method, policy, sources = {}, interceptors = [] }: Explained) {
  const { timeout, quotas = [], access, retry, hedging } = policy ?? {};
  const [service = "", name = ""] = method.split("/");
  return (
    <section class="card explained" aria-label={method}>
      <h2>
        <small>{service}/</small>
        <wbr />
        {name}
      </h2>
      <dl class="facts">
        <Fact name="Timeout" source={sources["timeout.default"]}>
          {timeout?.default ?? "none unless the caller says so"}
        </Fact>
        <Fact name="Longest timeout" source={sources["timeout.max"]}>
          {timeout?.max ?? "no bound"}
        </Fact>
        <Fact name="Quotas" source={sources.quotas}>
          {quotas.length === 0 ? "none" : quotas.map((quota) => <p key={quota.id}>{sentence(quota)}</p>)}
        </Fact>
        <Fact name="Who may call" source={sources.access}>
          {whoMay(access)}
        </Fact>
        {retry && (
          <Fact name="Retry" source={sources.retry}>
            <code>{JSON.stringify(retry)}</code>
          </Fact>
        )}
        {hedging && (
          <Fact name="Hedging" source={sources.hedging}>
            <code>{JSON.stringify(hedging)}</code>
          </Fact>
        )}
        <Fact name="Interceptors" source={undefined} whole>
          <ol class="chain">
            {interceptors.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ol>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({
  name,
  source,
  whole = false,
  children,
}: {
  name: string;
  source: string | undefined;
  /** Whether it has a line of its own. */
  whole?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div class={whole ? "whole" : undefined}>
      <dt>{name}</dt>
      <dd>
        <span>{children}</span>
        {source !== undefined && source !== "" && (
          <span class="source" title="Where it came from">
            {source}
          </span>
        )}
      </dd>
    </div>
  );
}

function sentence({ id, subject, limit = 0, window, per }: Quota): string {
  const calls = per === "MESSAGE" ? "messages" : "calls";
  const time = window === undefined ? "for as long as the worker lives" : `per ${window}`;
  return `${id}: ${limit} ${calls} ${time}, ${subject === "" ? "all callers together" : `for each ${subject}`}`;
}

function whoMay({
  open = false,
  scopes = [],
}: NonNullable<NonNullable<Explained["policy"]>["access"]> = {}): string {
  if (open) return "anybody";
  return scopes.length === 0 ? "any principal" : `principals with ${scopes.join(" and ")}`;
}
