/** Credentials of tests, and what a worker has to know to take them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Metadata } from "@gantry/rpc";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

export function sha256(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Alice's credentials, and what of them is past its time. */
export const ALICE = {
  token: "alice-s-token",
  expiredToken: "alice-s-old-token",
  app: { id: "web", key: "alice-s-key", expiredKey: "alice-s-old-key" },
} as const;

/** Alice may read; bob, who has a token too, may do nothing in particular. */
export const BOB = { token: "bob-s-token" } as const;

export const PRINCIPALS = [
  "principals:",
  "  - name: alice",
  "    scopes: [dishes.read, dishes.write]",
  "    tokens:",
  `      - { sha256: "${sha256(ALICE.token)}" }`,
  `      - { sha256: "${sha256(ALICE.expiredToken)}", expires: 2020-01-01T00:00:00Z }`,
  "    apps:",
  `      - { id: web, key_sha256: "${sha256(ALICE.app.key)}" }`,
  `      - { id: web, key_sha256: "${sha256(ALICE.app.expiredKey)}", expires: 2020-01-01T00:00:00Z }`,
  "    certificates: ['DNS:alice.example', 'CN:alice']",
  "  - name: bob",
  `    tokens: [{ sha256: "${sha256(BOB.token)}" }]`,
  "    certificates: ['DNS:bob.example']",
  "",
].join("\n");

export function bearer(token: string): Metadata {
  return new Metadata([["authorization", `Bearer ${token}`]]);
}

/** The claims of a token, beside those that it has anyway. */
export interface Claims extends JWTPayload {
  /** A claim that is left out. */
  readonly without?: string;
  /** The id of the key that it names. Default: that of the issuer's first key. */
  readonly kid?: string;
}

/** An issuer of tokens, with one key until it has others. */
export interface TestIssuer {
  /** The public keys, as a JSON Web Key Set. */
  jwks(): string;
  /** A token that is good for five minutes, but for what a test says. */
  sign(claims?: Claims): Promise<string>;
  /** Puts a new key in the place of the one that it has. */
  changeKey(kid: string): Promise<void>;
}

export const ISSUER = "https://id.example";
export const AUDIENCE = "gantry";

export async function testIssuer(): Promise<TestIssuer> {
  const make = async (kid: string) => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: "ES256" };
    return { kid, jwk, privateKey };
  };
  let key = await make("first");
  return {
    jwks: () => JSON.stringify({ keys: [key.jwk] }),
    sign({ kid = key.kid, without, ...claims } = {}) {
      const exp = Math.floor(Date.now() / 1_000) + 300;
      const all = Object.entries({ iss: ISSUER, aud: AUDIENCE, sub: "carol", exp, ...claims });
      return new SignJWT(Object.fromEntries(all.filter(([name]) => name !== without)))
        .setProtectedHeader({ alg: "ES256", kid })
        .sign(key.privateKey);
    },
    async changeKey(kid) {
      key = await make(kid);
    },
  };
}

/** Serves an issuer's keys, until it is told to fail. */
export interface KeyServer extends AsyncDisposable {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: number;
  /** What it answers from now on; undefined: with 500. */
  answer: Answer | undefined;
}

type Answer = () => string | Promise<string>;

export async function keyServer(answer: Answer | undefined): Promise<KeyServer> {
  const server = createServer(async (_, response) => {
    keys.asked += 1;
    const body = await keys.answer?.();
    response.writeHead(body === undefined ? 500 : 200).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens by TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  const keys = {
    url: `http://127.0.0.1:${port}/jwks.json?key=s3cret`,
    asked: 0,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return keys;
}
