import { hash, timingSafeEqual } from "node:crypto";

const DIGITS = 64;
/** Long enough that two digests hardly ever share it, and short enough to tell nothing of use about them. */
const PREFIX_DIGITS = 12;

/** What a secret is compared in, over and over: no call takes memory for it. */
const presented = Buffer.alloc(DIGITS);
/** Compared with where there is nothing else, so that it takes as long. */
const nothing = Buffer.alloc(DIGITS);

/** SHA-256, as 64 lower-case hexadecimal digits. */
export function digestOf(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** A digest, ready to be compared with. */
export function digestBytes(digest: string): Buffer {
  return Buffer.from(digest, "latin1");
}

/** Compares in a time that does not tell how much of it is the same. Undefined is never the same. */
export function sameDigest(digest: string, expected: Buffer | undefined): boolean {
  presented.write(digest, "latin1");
  return timingSafeEqual(presented, expected ?? nothing) && expected !== undefined;
}

/** A header's text, ready to be compared with: in memory of its own, where a Buffer would hold on to what it shares. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Compares a text with the bytes of another, in a time that tells nothing but whether they are of one length.
 * What Node.js has for that wants bytes of both, and to get there takes longer than all of this.
 *
 * @param bytes as `latin1` makes them
 */
export function sameText(text: string, bytes: Uint8Array): boolean {
  if (text.length !== bytes.length) return false;
  let difference = 0;
  for (let index = 0; index < text.length; index += 1) {
    difference |= text.charCodeAt(index) ^ (bytes[index] ?? 0);
  }
  return difference === 0;
}

/**
 * Finds what belongs to a secret by its digest. Only the first digits are looked up as in any table;
 * the whole is compared in constant time, with all that share them.
 */
export class DigestTable<T> {
  readonly #byPrefix = new Map<string, { readonly expected: Buffer; readonly value: T }[]>();

  set(digest: string, value: T): void {
    const prefix = digest.slice(0, PREFIX_DIGITS);
    const entries = this.#byPrefix.get(prefix) ?? [];
    entries.push({ expected: digestBytes(digest), value });
    this.#byPrefix.set(prefix, entries);
  }

  get(digest: string): T | undefined {
    const entries = this.#byPrefix.get(digest.slice(0, PREFIX_DIGITS));
    if (!entries) {
      sameDigest(digest, undefined);
      return undefined;
    }
    let found: T | undefined;
    for (const { expected, value } of entries) if (sameDigest(digest, expected)) found = value;
    return found;
  }
}
