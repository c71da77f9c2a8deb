import type { FieldViolation } from "@gantry/rpc";

/** More violations than these are counted, not kept: who sends a million wrong items gets no million strings. */
export const MOST_KEPT = 100;

/** What is wrong with one message. */
export interface Violations {
  /** The first `MOST_KEPT`, in the order in which they were found. */
  readonly violations: readonly FieldViolation[];
  /** How many there are in all. */
  readonly total: number;
}

/** Checks one value and says what it finds. */
export type Check<T> = (value: T, found: Findings) => void;

/**
 * Gathers what is wrong with one message. Checks know only the value before them, so they add violations
 * without a path; who descended to that value puts the path before them afterwards. A message that
 * is valid thus costs no path at all.
 */
export class Findings implements Violations {
  readonly violations: FieldViolation[] = [];
  total = 0;

  /** @param ruleId what protovalidate calls the rule, as `string.min_len` */
  add(description: string, ruleId: string): void {
    this.total += 1;
    if (this.violations.length < MOST_KEPT) this.violations.push({ field: "", description, reason: ruleId });
  }

  /** Puts `path` before the fields of the violations from `index` on. */
  locate(index: number, path: string): void {
    for (let i = index; i < this.violations.length; i += 1) {
      const violation = this.violations[i];
      if (violation) this.violations[i] = { ...violation, field: join(path, violation.field) };
    }
  }
}

function join(path: string, rest: string): string {
  return rest === "" || rest.startsWith("[") ? path + rest : `${path}.${rest}`;
}

/** The check as one of the value at `path`. */
export function at<T>(path: string, check: Check<T>): Check<T> {
  return (value, found) => {
    const before = found.violations.length;
    check(value, found);
    if (found.violations.length > before) found.locate(before, path);
  };
}

/** A check that finds fault where `holds` does not. */
export function rule<T>(holds: (value: T) => boolean, description: string, ruleId: string): Check<T> {
  return (value, found) => {
    if (!holds(value)) found.add(description, ruleId);
  };
}

/** All of the checks as one; undefined where there is none. */
export function all<T>(checks: readonly (Check<T> | undefined)[]): Check<T> | undefined {
  const [first, second, ...more] = checks.filter((check) => check !== undefined);
  if (!first || !second) return first;
  return (value, found) => {
    first(value, found);
    second(value, found);
    for (const check of more) check(value, found);
  };
}

/** Fields are read by name, so their values have no type; the descriptor says that it is the check's. */
export function untyped<T>(check: Check<T> | undefined): Check<unknown> | undefined {
  return check as Check<unknown> | undefined;
}
