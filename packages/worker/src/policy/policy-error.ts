/** A policy that cannot be held: each problem is a sentence that says what was found and what was expected. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** What `make` gives; where it throws a `PolicyError`, its problems join the others, so that all are told at once. */
export function gather<T>(problems: string[], make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}
