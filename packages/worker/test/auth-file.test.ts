import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthFileError, readAuthFile } from "../src/auth/auth-file.ts";
import { digestOf } from "../src/auth/digest.ts";
import { sha256 } from "./support/auth.ts";

const PATH = "/etc/gantry/auth.yaml";
const SECRET = "correct-horse-battery-staple";
const DIGEST = sha256(SECRET);
const SHA = "expected the SHA-256 of a secret, as 64 hexadecimal digits";

async function refuses(content: string, ...problems: string[]): Promise<void> {
  await assert.rejects(readAuthFile(PATH, content), (error) => {
    assert.ok(error instanceof AuthFileError);
    assert.deepEqual(error.problems, problems);
    assert.ok(!error.message.includes(SECRET), "what may be a secret is not told");
    return true;
  });
}

test("a file names principals, their scopes and what they show", async () => {
  const { tokens, apps, certificates } = await readAuthFile(
    PATH,
    [
      "principals:",
      "  - name: alice",
      "    scopes: [greetings.read, 'urn:x:y']",
      `    tokens: [{ sha256: ${DIGEST.toUpperCase()}, expires: 2027-01-01T00:00:00Z }]`,
      `    apps: [{ id: web, keySha256: ${DIGEST} }, { id: web, key_sha256: ${sha256("next")} }]`,
      "    certificates: ['DNS:alice.example', 'CN:alice']",
    ].join("\n"),
  );
  const principal = { name: "alice", scopes: ["greetings.read", "urn:x:y"] };
  const never = Number.POSITIVE_INFINITY;
  assert.deepEqual(tokens.get(digestOf(SECRET)), {
    credential: "token",
    principal,
    expiresAtMs: Date.parse("2027-01-01"),
  });
  assert.equal(tokens.get(digestOf(`${SECRET}!`)), undefined);
  const appKey = { credential: "app_key", principal, expiresAtMs: never };
  assert.deepEqual(
    apps.get("web")?.map(({ accepted }) => accepted),
    [appKey, appKey],
  );
  assert.deepEqual(certificates.get("CN:alice"), {
    credential: "certificate",
    principal,
    expiresAtMs: never,
  });
  assert.deepEqual([...certificates.keys()], ["DNS:alice.example", "CN:alice"]);
});

test("digests that begin alike are told apart by the whole", async () => {
  const start = DIGEST.slice(0, 20);
  const [one, other] = [`${start}${"0".repeat(44)}`, `${start}${"1".repeat(44)}`];
  const { tokens } = await readAuthFile(
    PATH,
    `principals: [{ name: a, tokens: [{ sha256: "${one}" }] }, { name: b, tokens: [{ sha256: "${other}" }] }]`,
  );
  assert.deepEqual(
    [one, other, DIGEST].map((digest) => tokens.get(digest)?.principal.name),
    ["a", "b", undefined],
  );
});

test("an issuer's claims have the names that they mostly have, and its principals its own", async () => {
  const { issuers } = await readAuthFile(
    PATH,
    "jwt: [{ issuer: https://id.example, audience: gantry, jwks: keys.json }]",
  );
  assert.deepEqual(issuers, [
    {
      issuer: "https://id.example",
      audience: "gantry",
      keys: { kind: "file", path: "/etc/gantry/keys.json" },
      principalClaim: "sub",
      principalPrefix: "https://id.example#",
      scopesClaim: "scope",
      algorithms: ["ES256", "ES384", "ES512", "EdDSA", "Ed25519"].concat(
        ["RS256", "RS384", "RS512"],
        ["PS256", "PS384", "PS512"],
      ),
    },
  ]);
});

test("keys come over https, from this machine, or from a file", async () => {
  const keysAt = async (jwks: string) =>
    (await readAuthFile(PATH, `jwt: [{ issuer: i, audience: a, jwks: "${jwks}" }]`)).issuers[0]?.keys.kind;
  assert.deepEqual(
    await Promise.all(
      [
        "https://id.example/jwks",
        "http://localhost:1/",
        "http://127.0.0.1/",
        "http://[::1]/",
        "/a/b.json",
      ].map(keysAt),
    ),
    ["url", "url", "url", "url", "file"],
  );
  for (const jwks of [
    "http://id.example/",
    "ftp://id.example/",
    "https://u:p@id.example/",
    "http://127.0.0.1.evil.example/",
  ]) {
    await assert.rejects(
      keysAt(jwks),
      /auth\.yaml:1: jwt\[0\]\.jwks cannot be asked for keys: expected an https URL/,
    );
  }
});

test("all problems of a file are told at once, each with its line, and none with what stands there", async () => {
  await refuses(
    [
      "principals:",
      "  - name: alice",
      `    token: ${SECRET}`, // line 3
      "  - name: bob",
      "    tokens:",
      `      - ${SECRET}`, // line 6
      `      - { sha256: ${SECRET} }`,
      `  - name: ""`, // line 8
      `    scopes: [two words, "${SECRET} "]`,
      "    tokens:",
      `      - { sha256: ${sha256("")} }`, // line 11
      `      - { sha256: ${DIGEST}, expires: ${SECRET} }`,
      "  - name: carol",
      `    tokens: [{ sha256: ${DIGEST} }]`, // line 14
      `    apps: [{ id: "", key_sha256: ${DIGEST} }, { id: web, key_sha256: ${SECRET} }]`,
      `    certificates: [${SECRET}, CN:carol]`, // line 16
      "  - name: carol",
      `    tokens: [{ sha256: ${DIGEST} }]`, // line 18
      `    certificates: [CN:carol]`,
      "jwt:",
      "  - { issuer: i, audience: a, jwks: keys.json, algorithms: [ES256, HS256, none] }", // line 21
      "  - { issuer: i, jwks: keys.json }",
      `${SECRET}: 1`, // line 23
    ].join("\n"),
    "auth.yaml:3: principals[0] has a field that is not known: expected one of name, scopes, tokens, apps, certificates",
    "auth.yaml:6: principals[1].tokens[0] is another value: expected a mapping with sha256, expires",
    "auth.yaml:12: principals[2].tokens[1].expires is another value: expected google.protobuf.Timestamp as protobuf's JSON writes it",
    `auth.yaml:15: principals[3].apps[0]: expected an id of 1 to 128 letters, digits and the like`,
    `auth.yaml:15: principals[3].apps[1]: ${SHA}`,
    "auth.yaml:16: principals[3].certificates[0]: expected a name with its kind, such as DNS:…",
    "auth.yaml:17: principals[4].name is the same as principals[3].name: expected it once",
    "auth.yaml:18: principals[4].tokens[0] is the same as principals[3].tokens[0]: expected it once",
    "auth.yaml:19: principals[4].certificates[0] is the same as principals[3].certificates[1]: expected it once",
    "auth.yaml:21: jwt[0].algorithms has one that is not taken: expected some of ES256, ES384, ES512, EdDSA, Ed25519, RS256, RS384, RS512, PS256, PS384, PS512",
    "auth.yaml:22: jwt[1].audience is not there: expected text",
    "auth.yaml:22: jwt[1].issuer is the same as jwt[0].issuer: expected it once",
    "auth.yaml:23: the file has a field that is not known: expected one of principals, jwt",
  );
});

test("names, scopes and digests that are none are refused", async () => {
  await refuses(
    [
      "principals:",
      `  - name: "a\\nb"`,
      `    scopes: [two words, good, '"']`,
      "    tokens:",
      `      - { sha256: ${sha256("")} }`, // what comes of a secret that was never set
      `      - { sha256: ${DIGEST}0 }`,
      "      - {}",
    ].join("\n"),
    "auth.yaml:2: principals[0].name: expected 1 to 128 characters, none of them a control character",
    "auth.yaml:3: principals[0].scopes[0]: expected one word of printable ASCII",
    "auth.yaml:3: principals[0].scopes[2]: expected one word of printable ASCII",
    `auth.yaml:5: principals[0].tokens[0]: ${SHA}`,
    `auth.yaml:6: principals[0].tokens[1]: ${SHA}`,
    `auth.yaml:7: principals[0].tokens[2]: ${SHA}`,
  );
});

test("an app belongs to one principal", async () => {
  const app = (key: string) => `apps: [{ id: web, key_sha256: ${sha256(key)} }]`;
  await refuses(
    `principals:\n  - { name: a, ${app("1")} }\n  - { name: b, ${app("2")} }`,
    "auth.yaml:3: principals[1].apps[0]: expected an id that is not another principal's",
  );
});

test("a file that is no YAML is refused without a word of what stands there", async () => {
  await refuses(
    `principals:\n  - name: alice\n    tokens: [{ sha256: @${SECRET} }]`,
    "auth.yaml:3: this is no YAML: BAD_SCALAR_START",
  );
  await refuses(
    `principals: [{ name: *${SECRET} }]`,
    "auth.yaml:1: an alias stands for nothing that is complete before it",
  );
  await refuses(
    `principals: []\n${SECRET}: 1\n${SECRET}: 2`,
    "auth.yaml:2: the file has a field that is not known: expected one of principals, jwt",
    "auth.yaml:3: a key stands here a second time: expected it once",
  );
});

test("a file that says nothing is refused; one that says that nobody is known is not", async () => {
  await refuses("", "auth.yaml:1: the file is empty: expected a mapping with principals, jwt");
  await refuses("{}", "auth.yaml:1: the file names nobody: expected principals or jwt");
  await refuses("principals:", "auth.yaml:1: principals is empty: expected a list");
  assert.deepEqual((await readAuthFile(PATH, "principals: []")).issuers, []);
});
