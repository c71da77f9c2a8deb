import type { Socket } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";

/** The kinds of name that say who shows a certificate, as Node.js writes them, and as we do. */
const KINDS = [
  ["DNS:", "DNS:"],
  ["URI:", "URI:"],
  ["IP Address:", "IP:"],
  ["email:", "email:"],
] as const;

/**
 * The names on a certificate: `CN:greeter`, `DNS:greeter.gantry.svc`, `URI:spiffe://gantry/greeter`,
 * `IP:127.0.0.1`, `email:greeter@example.com`. A name keeps its kind, so that none passes for another's.
 */
export function namesOn({ subject, subjectaltname }: PeerCertificate): readonly string[] {
  const common = [subject.CN ?? []].flat().map((name) => `CN:${name}`);
  return [...common, ...alternatives(subjectaltname ?? "")];
}

const NO_NAMES: readonly string[] = [];

/** By connection: reading a certificate takes 0.14 ms, more than most calls do. */
const namesByConnection = new WeakMap<object, readonly string[]>();

/** The names that `read` gives for a connection, read once. */
export function namesOnce(connection: object, read: () => PeerCertificate | undefined): readonly string[] {
  const known = namesByConnection.get(connection);
  if (known) return known;
  const certificate = read();
  const names = certificate ? namesOn(certificate) : NO_NAMES;
  namesByConnection.set(connection, names);
  return names;
}

/** The names on the certificate that the other end of a connection has shown and that was verified; none in plaintext. */
export function namesShownOn(socket: Socket): readonly string[] {
  if (!("encrypted" in socket)) return NO_NAMES;
  // Only TLS sockets have that property.
  const secured = socket as TLSSocket;
  return namesOnce(secured, () => (secured.authorized ? secured.getPeerCertificate() : undefined));
}

/** `DNS:a, URI:"with, comma"`: a name that could be taken for several stands in quotes, as JSON. */
function alternatives(text: string): string[] {
  const names: string[] = [];
  for (const [part] of text.matchAll(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g)) {
    const name = part.trimStart();
    const kind = KINDS.find(([written]) => name.startsWith(written));
    if (!kind) continue;
    const value = name.slice(kind[0].length);
    names.push(kind[1] + (value.startsWith('"') ? JSON.parse(value) : value));
  }
  return names;
}
