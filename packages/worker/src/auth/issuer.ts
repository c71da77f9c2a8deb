import { dirname, resolve } from "node:path";
import type { JwtIssuer } from "@gantry/proto/gantry/v1/auth_pb.js";
import type { JWSAlgorithm } from "jose";

/** Somebody whose tokens (JWT) are taken for what they say. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  readonly keys: KeysLocation;
  readonly principalClaim: string;
  readonly principalPrefix: string;
  readonly scopesClaim: string;
  readonly algorithms: readonly JWSAlgorithm[];
}

/** Where an issuer's public keys are. */
export type KeysLocation =
  | { readonly kind: "url"; readonly url: URL }
  | { readonly kind: "file"; readonly path: string };

/**
 * Signatures that take a private key to make. With `HS256` and the like, whoever can check a token can make
 * one, and a public key would do for the secret.
 */
const ASYMMETRIC: readonly JWSAlgorithm[] = [
  ...(["ES256", "ES384", "ES512", "EdDSA", "Ed25519"] as const),
  ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const),
];

/**
 * The issuer that an entry of the file tells of; undefined where it tells of none, which is reported.
 *
 * @param file the path of the file, from whose directory that of the keys is found
 * @param report takes a field of the entry and what is wrong with it
 */
export function issuerOf(
  { issuer, audience, jwks, principalClaim, principalPrefix, scopesClaim, algorithms }: JwtIssuer,
  file: string,
  report: (field: string, problem: string) => void,
): Issuer | undefined {
  for (const [field, value] of Object.entries({ issuer, audience, jwks })) {
    if (value === "") report(field, "is not there: expected text");
  }
  const known = algorithms.flatMap((name) => ASYMMETRIC.find((algorithm) => algorithm === name) ?? []);
  if (known.length < algorithms.length) {
    report("algorithms", `has one that is not taken: expected some of ${ASYMMETRIC.join(", ")}`);
  }
  const keys = keysLocation(jwks, file);
  if (!keys) {
    report(
      "jwks",
      "cannot be asked for keys: expected an https URL without user and password, an http URL of this machine, or a file",
    );
    return undefined;
  }
  return {
    issuer,
    audience,
    keys,
    principalClaim: principalClaim || "sub",
    principalPrefix: principalPrefix ?? `${issuer}#`,
    scopesClaim: scopesClaim || "scope",
    algorithms: known.length > 0 ? known : ASYMMETRIC,
  };
}

/** Keys that came in plaintext from elsewhere could be anybody's. */
function keysLocation(jwks: string, file: string): KeysLocation | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(jwks)) return { kind: "file", path: resolve(dirname(file), jwks) };
  const url = URL.parse(jwks);
  if (url?.username !== "" || url.password !== "") return undefined;
  const trusted = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
  return trusted ? { kind: "url", url } : undefined;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
