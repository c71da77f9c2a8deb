import type { Credential } from "./credentials.ts";

/** `unavailable`: it could not be decided. */
export const AUTH_DECISIONS = ["allowed", "unauthenticated", "denied", "unavailable"] as const;

export type AuthDecision = (typeof AUTH_DECISIONS)[number];

/** How often calls were let in or not, by what they showed. */
export class AuthStats {
  readonly #counts: Readonly<Record<AuthDecision, Record<Credential, number>>> = {
    allowed: zeros(),
    unauthenticated: zeros(),
    denied: zeros(),
    unavailable: zeros(),
  };

  count(decision: AuthDecision, credential: Credential): void {
    this.#counts[decision][credential] += 1;
  }

  of(decision: AuthDecision, credential: Credential): number {
    return this.#counts[decision][credential];
  }
}

function zeros(): Record<Credential, number> {
  return { token: 0, app_key: 0, jwt: 0, certificate: 0, none: 0 };
}
