import type { Principal } from "./principal.ts";

/** What a call shows to say who makes it. `none`: nothing that the worker would look at. */
export const CREDENTIALS = ["token", "app_key", "jwt", "certificate", "none"] as const;

export type Credential = (typeof CREDENTIALS)[number];

export const AUTHORIZATION_HEADER = "authorization";
export const APP_ID_HEADER = "appid";
export const APP_KEY_HEADER = "appkey";

/** What comes of looking at a call's credentials. */
export type Verdict = Accepted | Refused;

export interface Accepted {
  readonly credential: Credential;
  readonly principal: Principal;
  /** When the credential is no longer valid, in milliseconds since the epoch; Infinity: it does not expire. */
  readonly expiresAtMs: number;
}

export interface Refused {
  readonly credential: Credential;
  readonly principal: undefined;
  /** For the log alone: it must hold nothing of the credential itself. */
  readonly reason: string;
  /** Whether nobody could tell if it is good, because what it is checked with is away. */
  readonly undecided: boolean;
}

export function refused(credential: Credential, reason: string): Refused {
  return { credential, principal: undefined, reason, undecided: false };
}
