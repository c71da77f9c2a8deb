/** What a worker shows of itself over TLS: read from its files, and checked. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { readConfigFile } from "../../config/config-file.ts";
import { SettingsError } from "../../settings.ts";
import type { TlsFiles } from "./tls-files.ts";

/** The texts of the files. The key is a secret: it is for OpenSSL, and for nobody's log. */
export interface IdentityTexts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** A certificate with its key, and the authorities for clients: whole, and fitting together. */
export interface Identity extends IdentityTexts {
  readonly certificate: X509Certificate;
  /** From when to when the worker's own certificate is valid, in milliseconds since the epoch. */
  readonly validFrom: number;
  readonly validTo: number;
  /** When the first of the authorities for clients ends to be valid. */
  readonly clientCaValidTo: number | undefined;
}

/** @throws SettingsError with a sentence for each file that cannot be read */
export async function readIdentityTexts(files: TlsFiles): Promise<IdentityTexts> {
  const problems: string[] = [];
  const read = async (setting: string, path: string) => {
    try {
      return await readConfigFile(path);
    } catch (error) {
      problems.push(`${setting}: ${error instanceof Error ? error.message : error}.`);
      return "";
    }
  };
  const [cert, key, clientCa] = await Promise.all([
    read("TLS_CERT", files.cert),
    read("TLS_KEY", files.key),
    files.clientCa === undefined ? undefined : read("TLS_CLIENT_CA", files.clientCa),
  ]);
  if (problems.length > 0) throw new SettingsError(problems);
  return { cert, key, clientCa };
}

/** @throws SettingsError with a sentence for everything that is wrong, none of which has a part of a key in it */
export function checkIdentity(texts: IdentityTexts, files: TlsFiles): Identity {
  const problems: string[] = [];
  const chain = certificatesIn(texts.cert, "TLS_CERT", files.cert, problems);
  const key = privateKeyIn(texts.key, files.key, problems);
  const authorities =
    texts.clientCa === undefined
      ? []
      : certificatesIn(texts.clientCa, "TLS_CLIENT_CA", files.clientCa ?? "", problems);
  const [certificate] = chain;
  if (certificate && key && !certificate.checkPrivateKey(key)) {
    problems.push(
      `TLS_KEY ${files.key} is not the key of the certificate in TLS_CERT ${files.cert}: expected a pair.`,
    );
  }
  if (!certificate || problems.length > 0) throw new SettingsError(problems);
  try {
    createSecureContext({ cert: texts.cert, key: texts.key, ca: texts.clientCa });
  } catch (error) {
    // OpenSSL has rules of its own, as for keys that are too short.
    const reason = error instanceof Error && "reason" in error ? error.reason : error;
    throw new SettingsError([
      `TLS_CERT ${files.cert} cannot be used with its key: OpenSSL says "${reason}".`,
    ]);
  }
  return {
    ...texts,
    certificate,
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
    clientCaValidTo:
      authorities.length > 0 ? Math.min(...authorities.map(({ validTo }) => Date.parse(validTo))) : undefined,
  };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function certificatesIn(text: string, setting: string, path: string, problems: string[]): X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    problems.push(`${setting} ${path} has no certificate in PEM: expected -----BEGIN CERTIFICATE-----.`);
  }
  return blocks.flatMap((block, at) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      problems.push(`${setting} ${path}: its certificate number ${at + 1} cannot be read.`);
      return [];
    }
  });
}

function privateKeyIn(text: string, path: string, problems: string[]): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    const found = text.includes("ENCRYPTED") ? "has a key with a passphrase" : "has no private key in PEM";
    problems.push(`TLS_KEY ${path} ${found}: expected -----BEGIN PRIVATE KEY-----, without a passphrase.`);
    return undefined;
  }
}
