import { X509Certificate } from "node:crypto";
import { readConfigFile } from "../config/config-file.ts";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM file that are to be trusted. They are looked at here, for TLS itself passes
 * over what is none and then trusts nobody.
 *
 * @throws Error that names the file and what is wrong with it
 */
export async function readAuthorities(path: string): Promise<string> {
  const pem = await readConfigFile(path);
  const certificates = pem.match(CERTIFICATE) ?? [];
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
  } catch (error) {
    throw new Error(`${path} holds a certificate that cannot be read`, { cause: error });
  }
  if (certificates.length === 0) throw new Error(`${path} holds no certificate: expected some, as PEM`);
  return pem;
}
