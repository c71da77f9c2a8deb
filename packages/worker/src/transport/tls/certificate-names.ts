import type { PeerCertificate } from "node:tls";

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
