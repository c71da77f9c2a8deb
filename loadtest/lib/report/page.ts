import { escapeText, lineChart, rangeChart, type Series } from "./charts.ts";
import type { Part, Result, StepResult, Verdict } from "./result.ts";
import { STYLE } from "./style.ts";
import { milliseconds, percent, rate, whole } from "./words.ts";

/** A run as a page that needs nothing but itself: no script, and nothing that is fetched. */
export function pageOf(result: Result): string {
  const title = `${result.scenario} by ${result.target}`;
  const verdict = result.ok ? "passed" : "failed";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeText(`${title}: ${verdict}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeText(title)} <span class="${verdict}">${verdict}</span></h1>
<p class="when">${escapeText(result.endedAt)}, ${milliseconds(result.durationMs)}</p>
${findingsOf(result)}
${figuresOf(result)}
<div class="charts">
${chartsOf(result)}
</div>
<h2>Methods</h2>
${methodsOf(result)}
<h2>Thresholds</h2>
${verdictsOf(result.thresholds)}
${result.checks.length > 0 ? `<h2>Checks</h2>\n${verdictsOf(result.checks)}` : ""}
</main>
</body>
</html>
`;
}

function findingsOf({ findings }: Result): string {
  return findings.map((finding) => `<p class="finding">${escapeText(finding)}</p>`).join("\n");
}

function figuresOf({ total, statuses, figures }: Result): string {
  const shown: (readonly [string, string])[] = [
    ["calls", whole(total.calls)],
    ["a second", rate(total.callsPerSecond)],
    ["failed", percent(total.failedRatio)],
    ["refused by quota", whole(total.quotaRefused)],
    ["moved", whole(total.moved)],
    ["not made in time", whole(total.dropped)],
    ...Object.entries(statuses).map(([name, count]) => [name, whole(count)] as const),
    ...Object.entries(figures).map(([name, value]) => [name.replaceAll("_", " "), whole(value)] as const),
  ];
  const cells = shown.map(
    ([name, value]) => `<div><dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd></div>`,
  );
  return `<dl>${cells.join("")}</dl>`;
}

function chartsOf({ steps, methods, durationMs }: Result): string {
  if (steps.length === 0) return "";
  const seconds = (ms: number) => `${Number((ms / 1_000).toFixed(1))} s`;
  const time = {
    from: "0 s",
    to: seconds(durationMs),
    pointName: (index: number) => `from ${seconds(steps[index]?.startMs ?? 0)}`,
  };
  const latency = (name: string, look: Series["look"], read: (step: StepResult) => number): Series => ({
    name,
    look,
    values: steps.map((step) => (step.calls > 0 ? read(step) : undefined)),
  });
  const wanted = steps.map(({ wantedPerSecond }) => wantedPerSecond);
  return [
    lineChart({
      ...time,
      title: "Latency",
      words: milliseconds,
      series: [
        latency("median", "a", (step) => step.latency.median),
        latency("p95", "b", (step) => step.latency.p95),
        latency("p99", "c", (step) => step.latency.p99),
      ],
    }),
    lineChart({
      ...time,
      title: "Calls a second",
      words: rate,
      series: [
        { name: "made", look: "a", values: steps.map(({ callsPerSecond }) => callsPerSecond) },
        ...(wanted.some((each) => each !== undefined)
          ? [{ name: "wanted", look: "b", values: wanted } as const]
          : []),
      ],
    }),
    lineChart({
      ...time,
      title: "Failed",
      words: percent,
      series: [latency("failed", "c", (step) => step.failedRatio)],
    }),
    rangeChart({
      title: "Latency by method",
      words: milliseconds,
      names: ["median", "p95", "p99"],
      rows: methods.map(({ method, latency: { median, p95, p99 } }) => ({
        name: method,
        values: [median, p95, p99],
      })),
    }),
  ].join("\n");
}

function methodsOf({ methods, total }: Result): string {
  const row = (name: string, { calls, failedRatio, latency }: Part) => {
    const { median, p95, p99, max } = latency;
    const cells = [whole(calls), percent(failedRatio), ...[median, p95, p99, max].map(milliseconds)];
    return `<tr><th scope="row">${escapeText(name)}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  };
  const names = ["method", "calls", "failed", "median", "p95", "p99", "max"];
  return `<div class="wide" role="region" aria-label="Methods" tabindex="0"><table>
<thead><tr>${names.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>${methods.map(({ method, ...part }) => row(method, part)).join("\n")}</tbody>
<tfoot>${row("all", total)}</tfoot>
</table></div>`;
}

function verdictsOf(verdicts: readonly Verdict[]): string {
  const items = verdicts.map(
    ({ rule, ok }) =>
      `<li class="${ok ? "passed" : "failed"}">${ok ? "✓" : "✗"} <code>${escapeText(rule)}</code></li>`,
  );
  return `<ul>${items.join("\n")}</ul>`;
}
