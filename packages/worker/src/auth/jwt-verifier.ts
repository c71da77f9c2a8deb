import { decodeJwt, errors, type JWTPayload, jwtVerify } from "jose";
import { type Accepted, refused, type Verdict } from "./credentials.ts";
import type { Issuer } from "./issuer.ts";
import { type KeySource, KeysUnavailable } from "./keys.ts";
import { isPrincipalName } from "./principal.ts";
import { Recent } from "./recent.ts";

/** Takes tokens (JWT) for what their issuers say. */
export interface JwtVerifier {
  looksLikeOne(token: string): boolean;
  /** At once, where the token was verified before. Neither throws nor rejects. @param digest of the token */
  verify(token: string, digest: string): Verdict | Promise<Verdict>;
  /** Forgets what was verified: the keys have changed. */
  forget(): void;
}

/** An issuer with its keys. */
export interface TrustedIssuer extends Issuer {
  readonly source: KeySource;
}

/** Clocks differ by as much. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Tokens that are remembered as verified. Only good ones are, so nobody can push them out with others. */
const MOST_VERIFIED = 10_000;
/** Three parts in base64url, the first of which is JSON: `{"` begins with `ey`. */
const COMPACT = /^ey[\w-]*\.[\w-]+\.[\w-]+$/;

const NO_ISSUER = refused("jwt", "the token names no issuer that is known");
const NO_PRINCIPAL = refused("jwt", "the token's claim for the principal is missing or not usable");
const EXPIRED = refused("jwt", "ERR_JWT_EXPIRED");
const UNDECIDED: Verdict = { ...refused("jwt", "the issuer's keys cannot be fetched"), undecided: true };

export function createJwtVerifier(trusted: readonly TrustedIssuer[]): JwtVerifier {
  const issuers = new Map(trusted.map((issuer) => [issuer.issuer, issuer]));
  const verified = new Recent<Accepted>(MOST_VERIFIED);
  let generation = 0;

  async function verifyNow(token: string, digest: string): Promise<Verdict> {
    const began = generation;
    try {
      const issuer = issuers.get(decodeJwt(token).iss ?? "");
      if (!issuer) return NO_ISSUER;
      const { payload } = await jwtVerify(token, issuer.source.find, {
        issuer: issuer.issuer,
        audience: issuer.audience,
        algorithms: [...issuer.algorithms],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        requiredClaims: ["exp"],
      });
      const accepted = acceptedBy(issuer, payload);
      // Keys that changed meanwhile may have been withdrawn: such a token is asked for anew.
      if (accepted && began === generation) verified.set(digest, accepted);
      return accepted ?? NO_PRINCIPAL;
    } catch (error) {
      if (error instanceof KeysUnavailable) return UNDECIDED;
      // Its message may quote the token; its code does not.
      return refused("jwt", error instanceof errors.JOSEError ? error.code : "the token cannot be read");
    }
  }

  return {
    looksLikeOne: (token) => COMPACT.test(token),
    verify(token, digest) {
      const known = verified.get(digest);
      if (!known) return verifyNow(token, digest);
      if (Date.now() < known.expiresAtMs) return known;
      verified.delete(digest);
      return EXPIRED;
    },
    forget() {
      generation += 1;
      verified.clear();
    },
  };
}

/** The principal that a verified token names; undefined where it names none. */
function acceptedBy(issuer: Issuer, payload: JWTPayload): Accepted | undefined {
  const { [issuer.principalClaim]: name, [issuer.scopesClaim]: scopes, exp = 0 } = payload;
  if (!isPrincipalName(name)) return undefined;
  return {
    credential: "jwt",
    principal: { name: issuer.principalPrefix + name, scopes: scopesOf(scopes) },
    expiresAtMs: (exp + CLOCK_TOLERANCE_SECONDS) * 1_000,
  };
}

/** RFC 8693, section 4.2, has words with blanks between; other issuers write a list. */
function scopesOf(claim: unknown): string[] {
  if (typeof claim === "string") return claim.split(" ").filter((scope) => scope !== "");
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === "string") : [];
}
