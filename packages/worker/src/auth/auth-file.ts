/**
 * # The file of `AUTH_FILE`
 *
 * ```yaml
 * principals:
 *   - name: alice
 *     scopes: [greetings.read]
 *     tokens: [{ sha256: 2bb80d53…, expires: 2027-01-01T00:00:00Z }]
 *     apps: [{ id: web, key_sha256: 9f86d081… }]
 *     certificates: ["DNS:alice.example"]
 * jwt:
 *   - { issuer: https://id.example, audience: gantry, jwks: https://id.example/jwks.json }
 * ```
 *
 * The fields are those of `gantry.v1.AuthFile`. Problems name the line and the field, and quote nothing:
 * where a digest should be, somebody may have put the secret itself.
 */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { AuthFileSchema, JwtIssuerSchema, PrincipalSchema } from "@gantry/proto/gantry/v1/auth_pb.js";
import { parseYaml, type Report, type YamlNode } from "../config/yaml-file.ts";
import { fieldsOf, foundOf, messageOf } from "../config/yaml-message.ts";
import { isScope } from "../policy/access.ts";
import type { Accepted } from "./credentials.ts";
import { DigestTable, digestBytes, digestOf } from "./digest.ts";
import { type Issuer, issuerOf } from "./issuer.ts";
import { isPrincipalName } from "./principal.ts";

/** Who is known, and by what. */
export interface AuthConfig {
  readonly tokens: DigestTable<Accepted>;
  /** By the app's id; an app may have several keys, so that they can be changed without a gap. */
  readonly apps: ReadonlyMap<string, readonly AppCredential[]>;
  /** By the name on the certificate, with its kind. */
  readonly certificates: ReadonlyMap<string, Accepted>;
  readonly issuers: readonly Issuer[];
}

export interface AppCredential {
  /** The digest of its key. */
  readonly expected: Buffer;
  readonly accepted: Accepted;
}

/** What stands in the place of credentials cannot be used. Each problem is a sentence that quotes none of it. */
export class AuthFileError extends Error {
  override readonly name = "AuthFileError";
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** @throws AuthFileError with all that is wrong with the file, each problem with its line: `auth.yaml:4: …` */
export async function readAuthFile(path: string, content: string): Promise<AuthConfig> {
  const { root, report, problems } = await parseYaml(path, content, { secret: true });
  const found: Found = { tokens: new DigestTable(), apps: new Map(), certificates: new Map(), issuers: [] };
  const once = onceEach(report);
  for (const { field, entry } of root ? fieldsOf(AuthFileSchema, "the file", root, report) : []) {
    // A field of the schema has one of the schema's names.
    FIELDS[field.localName as keyof typeof FIELDS](entry.value, found, report, once, path);
  }
  if (root?.kind === "mapping" && root.entries.length === 0) {
    report(root.line, "the file names nobody: expected principals or jwt");
  }
  const wrong = problems();
  if (wrong.length > 0) throw new AuthFileError(...wrong);
  return found;
}

/** What has been read of a file so far. */
interface Found extends AuthConfig {
  readonly apps: Map<string, AppCredential[]>;
  readonly certificates: Map<string, Accepted>;
  readonly issuers: Issuer[];
}

type ReadField = (node: YamlNode, found: Found, report: Report, once: Once, path: string) => void;

/** How each field of the file is read: one that is new in the proto does not compile until it has its place here. */
const FIELDS: Record<keyof typeof AuthFileSchema.field, ReadField> = {
  principals: readPrincipals,
  jwt(node, { issuers }, report, once, path) {
    for (const { message, where, item } of itemsOf(JwtIssuerSchema, "jwt", node, report)) {
      const wrong = (field: string, problem: string) =>
        report(lineOf(item, field), `${where}.${field} ${problem}`);
      const issuer = issuerOf(message, path, wrong);
      once("issuer", message.issuer, `${where}.issuer`, lineOf(item, "issuer"));
      if (issuer) issuers.push(issuer);
    }
  },
};

function readPrincipals(node: YamlNode, found: Found, report: Report, once: Once): void {
  for (const { message, where: owner, item } of itemsOf(PrincipalSchema, "principals", node, report)) {
    const { name, scopes, tokens, apps, certificates } = message;
    const principal = { name, scopes };
    /** Reports what is wrong at a field of the principal, or at an entry of one. */
    const check = (right: boolean, field: string, index: number | undefined, expected: string) => {
      const where = `${owner}.${field}${index === undefined ? "" : `[${index}]`}`;
      if (!right) report(lineOf(item, field, index), `${where}: expected ${expected}`);
      return right;
    };
    check(isPrincipalName(name), "name", undefined, "1 to 128 characters, none of them a control character");
    once("name", name, `${owner}.name`, lineOf(item, "name"));
    for (const [index, scope] of scopes.entries()) {
      check(isScope(scope), "scopes", index, "one word of printable ASCII");
    }
    for (const [index, { sha256, expires }] of tokens.entries()) {
      const digest = sha256.toLowerCase();
      if (!check(isDigest(digest), "tokens", index, A_DIGEST)) continue;
      once("token", digest, `${owner}.tokens[${index}]`, lineOf(item, "tokens", index));
      found.tokens.set(digest, { credential: "token", principal, expiresAtMs: timeOf(expires) });
    }
    for (const [index, { id, keySha256, expires }] of apps.entries()) {
      const digest = keySha256.toLowerCase();
      check(APP_ID.test(id), "apps", index, "an id of 1 to 128 letters, digits and the like");
      if (!check(isDigest(digest), "apps", index, A_DIGEST)) continue;
      const keys = found.apps.get(id) ?? [];
      const owned = keys.every(({ accepted }) => accepted.principal === principal);
      check(owned, "apps", index, "an id that is not another principal's");
      const accepted: Accepted = { credential: "app_key", principal, expiresAtMs: timeOf(expires) };
      found.apps.set(id, [...keys, { expected: digestBytes(digest), accepted }]);
    }
    for (const [index, certificate] of certificates.entries()) {
      check(CERTIFICATE_NAME.test(certificate), "certificates", index, "a name with its kind, such as DNS:…");
      once(
        "certificate",
        certificate,
        `${owner}.certificates[${index}]`,
        lineOf(item, "certificates", index),
      );
      found.certificates.set(certificate, {
        credential: "certificate",
        principal,
        expiresAtMs: Number.POSITIVE_INFINITY,
      });
    }
  }
}

const A_DIGEST = "the SHA-256 of a secret, as 64 hexadecimal digits";
const APP_ID = /^[\x21-\x7e]{1,128}$/;
const CERTIFICATE_NAME = /^(CN|DNS|URI|IP|email):./;
/** What comes of a secret that was never set. */
const DIGEST_OF_NOTHING = digestOf("");

function isDigest(digest: string): boolean {
  return /^[0-9a-f]{64}$/.test(digest) && digest !== DIGEST_OF_NOTHING;
}

function timeOf(expires: Timestamp | undefined): number {
  if (!expires) return Number.POSITIVE_INFINITY;
  return Number(expires.seconds) * 1_000 + expires.nanos / 1e6;
}

/** The messages of a list, each with how problems call it and where it stands. */
function itemsOf<Desc extends DescMessage>(schema: Desc, field: string, node: YamlNode, report: Report) {
  if (node.kind !== "list") {
    report(node.line, `${field} is ${foundOf(node)}: expected a list`);
    return [];
  }
  return node.items.flatMap((item, index): Item<Desc>[] => {
    const where = `${field}[${index}]`;
    const message = messageOf(schema, where, item, report);
    return message ? [{ message, where, item }] : [];
  });
}

interface Item<Desc extends DescMessage> {
  readonly message: MessageShape<Desc>;
  readonly where: string;
  readonly item: YamlNode;
}

/** The line of a field, or of an entry of it; where it is not there, that of what should have it. */
function lineOf(node: YamlNode, field: string, index?: number): number {
  const entry = node.kind === "mapping" ? node.entries.find(({ key }) => key === field) : undefined;
  if (!entry) return node.line;
  const { value } = entry;
  return (value.kind === "list" && index !== undefined ? value.items[index]?.line : undefined) ?? entry.line;
}

/** Reports what stands in a file for the second time, among others of its kind. */
type Once = (kind: string, value: string, where: string, line: number) => void;

function onceEach(report: Report): Once {
  const first = new Map<string, string>();
  return (kind, value, where, line) => {
    const key = `${kind} ${value}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, where);
    else report(line, `${where} is the same as ${other}: expected it once`);
  };
}
