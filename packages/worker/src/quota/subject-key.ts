import { hash } from "node:crypto";

const LONGEST_KEPT = 128;

/**
 * What a subject is remembered under. A stranger may send megabytes: of what is long, only the digest
 * is kept, which is longer than any subject that is kept as it is, and so is never taken for one.
 */
export function subjectKey(subject: string): string {
  return subject.length <= LONGEST_KEPT ? subject : subjectDigest(subject);
}

export function subjectDigest(subject: string): string {
  return `sha512:${hash("sha512", subject, "hex")}`;
}
