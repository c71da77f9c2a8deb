import type { Method } from "../methods.ts";
import type { Plan } from "../plan.ts";
import type { Settings } from "../settings.ts";
import { pageOf } from "./page.ts";
import { type Result, resultOf, type Summary } from "./result.ts";
import { textOf } from "./text.ts";

export type { Summary };

interface Facts {
  readonly scenario: string;
  readonly settings: Settings;
  readonly plan: Plan;
  readonly methods: readonly Method[];
  readonly findings: (result: Result) => readonly string[];
}

/** What k6 is to print, and the files that it is to write. */
export function summarize(
  data: Summary,
  { scenario, settings, plan, methods, findings }: Facts,
): Record<string, string> {
  const { target, report } = settings;
  const measured = resultOf(data, { ...plan, scenario, target, methods }, new Date());
  const result = {
    ...measured,
    findings: [...findings(measured), ...quotaAdvice(scenario, measured), ...rateAdvice(measured)],
  };
  return {
    stdout: textOf(result),
    ...(report !== "" && {
      [`${report}.json`]: `${JSON.stringify(result, null, 2)}\n`,
      [`${report}.html`]: pageOf(result),
    }),
  };
}

function quotaAdvice(scenario: string, { total: { quotaRefused } }: Result): string[] {
  if (quotaRefused === 0 || scenario === "quota") return [];
  return [
    `Quotas refused ${quotaRefused} calls. To measure what workers can do, run them without: ` +
      "GREETER_POLICY_FILE=loadtest/policies/greeter.yaml MATH_POLICY_FILE=loadtest/policies/math.yaml npm start",
  ];
}

/** Fewer of the calls that were wanted is another run than the one that was asked for. */
const DROPPED = 0.01;

function rateAdvice({ total: { dropped, calls } }: Result): string[] {
  if (dropped <= calls * DROPPED) return [];
  return [
    `${dropped} times nobody was free to call: either CONNECTIONS is too small for the rate, or answers take too long.`,
  ];
}
