import type { Call } from "../call.ts";
import type { AuthConfig } from "./auth-file.ts";
import {
  type Accepted,
  APP_ID_HEADER,
  APP_KEY_HEADER,
  AUTHORIZATION_HEADER,
  refused,
  type Verdict,
} from "./credentials.ts";
import { digestOf, latin1, sameDigest, sameText } from "./digest.ts";
import type { JwtVerifier } from "./jwt-verifier.ts";

/** An app that is not known takes as long as one with another key. */
const NO_SUCH_APP = [{ expected: undefined, accepted: undefined }];

/** Says who makes a call. */
export interface Authenticator {
  /** At once, but for a token that an issuer signed and that is new here. Neither throws nor rejects. */
  authenticate(call: Call): Verdict | Promise<Verdict>;
}

/** A secret that is longer is not even looked at. */
const LONGEST_SECRET = 8 * 1_024;
const SCHEME = "bearer ";

const NOTHING_SHOWN = refused("none", "no credentials came with the call");
const OTHER_SCHEME = refused("token", "the header authorization is of another scheme than Bearer");
const NO_TOKEN = refused("token", "the token is empty or too long");
const UNKNOWN_TOKEN = refused("token", "the token is not known");
const EXPIRED_TOKEN = refused("token", "the token is past its time");
const HALF_AN_APP = refused("app_key", "of appid and appkey, one is missing or too long");
const WRONG_KEY = refused("app_key", "the app is not known, or its key is another one");
const EXPIRED_KEY = refused("app_key", "the app's key is past its time");
const UNKNOWN_CERTIFICATE = refused("none", "the certificate has no name that is known");
const SEVERAL_PRINCIPALS = refused("certificate", "the certificate has names of several principals");

/**
 * Looks at what a call shows, and at one thing only: the header `authorization`, else `appid` and `appkey`,
 * else the client's certificate. What is shown and not good is not made up for by another.
 *
 * @param jwt undefined: tokens of issuers are not taken
 */
export function createAuthenticator(
  { tokens, apps, certificates }: AuthConfig,
  jwt: JwtVerifier | undefined,
): Authenticator {
  /**
   * The token that each connection was last let in by. It comes with every call, and to take its digest again
   * each time would cost 3 % of a call. Clients' tokens are kept no longer than HTTP/2 itself keeps the headers
   * of a connection, and go with it.
   */
  const lastShown = new WeakMap<object, Shown>();

  function byToken(authorization: string, connection: object | undefined): Verdict | Promise<Verdict> {
    const last = connection && lastShown.get(connection);
    if (last && sameText(authorization, last.authorization)) {
      return inTime(last.accepted) ? last.accepted : EXPIRED_TOKEN;
    }
    if (authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return OTHER_SCHEME;
    if (authorization.length > SCHEME.length + LONGEST_SECRET) return NO_TOKEN;
    const token = authorization.slice(SCHEME.length).trimStart();
    if (token === "") return NO_TOKEN;
    const digest = digestOf(token);
    const known = tokens.get(digest);
    if (known) {
      if (!inTime(known)) return EXPIRED_TOKEN;
      if (connection) lastShown.set(connection, { authorization: latin1(authorization), accepted: known });
      return known;
    }
    return jwt?.looksLikeOne(token) ? jwt.verify(token, digest) : UNKNOWN_TOKEN;
  }

  function byAppKey(id: string | undefined, key: string | undefined): Verdict {
    if (id === undefined || key === undefined || key.length > LONGEST_SECRET) return HALF_AN_APP;
    const digest = digestOf(key);
    let found: Accepted | undefined;
    for (const { expected, accepted } of apps.get(id) ?? NO_SUCH_APP) {
      if (sameDigest(digest, expected) && accepted) found = accepted;
    }
    if (!found) return WRONG_KEY;
    return inTime(found) ? found : EXPIRED_KEY;
  }

  function byCertificate(names: readonly string[]): Verdict {
    let found: Accepted | undefined;
    for (const name of names) {
      const named = certificates.get(name);
      if (found && named && named.principal !== found.principal) return SEVERAL_PRINCIPALS;
      found ??= named;
    }
    return found ?? (names.length === 0 ? NOTHING_SHOWN : UNKNOWN_CERTIFICATE);
  }

  return {
    authenticate(call) {
      const authorization = call.header(AUTHORIZATION_HEADER);
      if (authorization !== undefined) return byToken(authorization, call.connection);
      const id = call.header(APP_ID_HEADER);
      const key = call.header(APP_KEY_HEADER);
      if (id !== undefined || key !== undefined) return byAppKey(id, key);
      return byCertificate(call.certificateNames);
    },
  };
}

interface Shown {
  /** As bytes: a header's text is memory of HTTP/2's own, and slow to read for as long as it is kept. */
  readonly authorization: Uint8Array;
  readonly accepted: Accepted;
}

function inTime({ expiresAtMs }: Accepted): boolean {
  return Date.now() < expiresAtMs;
}
