/** Certificates for development and for tests: an authority, and what it signs. */
import "./no-decorator-metadata.ts";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate and its key, both PEM; the key is PKCS #8. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Validity {
  /** Default: an hour ago, for clocks that are behind. */
  readonly notBefore?: Date;
  /** Default: in 90 days; an authority's, in a year. */
  readonly notAfter?: Date;
}

export interface CertificateRequest extends Validity {
  /** As `Call.certificateNames` has them: `DNS:localhost`, `IP:127.0.0.1`, `URI:spiffe://gantry/greeter`. */
  readonly names: readonly string[];
  /** The subject's CN. Default: a certificate without. */
  readonly commonName?: string;
  /** What the certificate is for. Default: both, as for a service that is called and calls others. */
  readonly usages?: readonly ("server" | "client")[];
}

export interface Authority extends KeyPair {
  /** PEM: what others trust the authority by. The same as `cert`. */
  readonly certificate: string;
  /** Signs a certificate for a new key. */
  issue(request: CertificateRequest): Promise<KeyPair>;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LEAF_DAYS = 90;
const AUTHORITY_DAYS = 365;
const USAGES = { server: ExtendedKeyUsage.serverAuth, client: ExtendedKeyUsage.clientAuth };
const KINDS: Readonly<Record<string, JsonGeneralNames[number]["type"]>> = {
  DNS: "dns",
  IP: "ip",
  URI: "url",
  email: "email",
};

/** Makes an authority of its own; it signs leaves only, no other authorities. */
export async function createAuthority({
  commonName = "Gantry development CA",
  ...validity
}: { readonly commonName?: string } & Validity = {}): Promise<Authority> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: SIGNATURE,
    ...within(validity, AUTHORITY_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(
    certificate,
    { cert: certificate.toString("pem"), key: await pemOf(keys) },
    keys.privateKey,
  );
}

/** An authority that was made before. @throws where the two are no PEM, or the key is no ECDSA key on P-256 */
export async function loadAuthority(pair: KeyPair): Promise<Authority> {
  const [key] = PemConverter.decode(pair.key);
  const privateKey = await crypto.subtle.importKey("pkcs8", key ?? new ArrayBuffer(), KEY, false, ["sign"]);
  return authority(new X509Certificate(pair.cert), pair, privateKey);
}

function authority(issuer: X509Certificate, pair: KeyPair, signingKey: CryptoKey): Authority {
  return {
    ...pair,
    certificate: pair.cert,
    async issue({ names, commonName, usages = ["server", "client"], ...validity }) {
      const keys = await newKeys();
      const certificate = await X509CertificateGenerator.create({
        subject: commonName === undefined ? [] : [{ CN: [commonName] }],
        issuer: issuer.subject,
        publicKey: keys.publicKey,
        signingKey,
        signingAlgorithm: SIGNATURE,
        ...within(validity, LEAF_DAYS),
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension(usages.map((usage) => USAGES[usage])),
          // Critical where there is no other subject. RFC 5280, section 4.2.1.6.
          new SubjectAlternativeNameExtension(names.map(generalName), commonName === undefined),
          await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
        ],
      });
      return { cert: certificate.toString("pem"), key: await pemOf(keys) };
    },
  };
}

function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

async function pemOf({ privateKey }: CryptoKeyPair): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), PemConverter.PrivateKeyTag);
}

function within({ notBefore, notAfter }: Validity, days: number): Required<Validity> {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - HOUR_MS),
    notAfter: notAfter ?? new Date(now + days * DAY_MS),
  };
}

function generalName(name: string): JsonGeneralNames[number] {
  const at = name.indexOf(":");
  const type = KINDS[name.slice(0, at)];
  if (!type)
    throw new TypeError(`"${name}" is no name for a certificate: expected DNS:, IP:, URI: or email:.`);
  return { type, value: name.slice(at + 1) };
}
