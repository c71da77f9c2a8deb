/** HTTP annotations that cannot be served: each problem is a sentence that names the binding. */
export class RestBindingError extends Error {
  override readonly name = "RestBindingError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
