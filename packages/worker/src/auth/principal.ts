/** Who calls, as a credential has shown it. */
export interface Principal {
  /** As the file of `AUTH_FILE` or an issuer calls it; logs, spans and quotas do so too. */
  readonly name: string;
  /** What it may do, in the words that methods ask for. */
  readonly scopes: readonly string[];
}

const LONGEST_NAME = 128;

/** Whether logs, spans and stores can take it as it is. */
export function isPrincipalName(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text !== "" &&
    text.length <= LONGEST_NAME &&
    text.isWellFormed() &&
    !/\p{Cc}/u.test(text)
  );
}
