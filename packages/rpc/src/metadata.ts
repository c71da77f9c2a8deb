/** What a metadata key can hold: text, or bytes for keys that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

const BLANK = 0x20;
const TILDE = 0x7e;
/** By ASCII code: 1 for characters of keys. */
const IN_KEYS = new Uint8Array(128);
for (const character of "0123456789abcdefghijklmnopqrstuvwxyz_.-") IN_KEYS[character.charCodeAt(0)] = 1;

/**
 * Request headers, response headers or trailers of a call. Keys are case-insensitive and may have
 * several values; those that end in `-bin` hold bytes. Text is kept without blanks at its ends.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Custom-Metadata".
 */
export class Metadata {
  readonly #values = new Map<string, MetadataValue[]>();

  constructor(init?: Iterable<readonly [key: string, value: MetadataValue]>) {
    if (init) for (const [key, value] of init) this.append(key, value);
  }

  /** How many keys there are. */
  get size(): number {
    return this.#values.size;
  }

  /** The first value as text, or undefined. Binary values are read with `getBinary`. */
  get(key: string): string | undefined {
    const value = this.#values.get(key.toLowerCase())?.[0];
    return typeof value === "string" ? value : undefined;
  }

  /** The first value as bytes, or undefined. */
  getBinary(key: string): Uint8Array | undefined {
    const value = this.#values.get(key.toLowerCase())?.[0];
    return value instanceof Uint8Array ? value : undefined;
  }

  /** Every value of the key, in the order in which they came. */
  getAll(key: string): readonly MetadataValue[] {
    return this.#values.get(key.toLowerCase()) ?? [];
  }

  has(key: string): boolean {
    return this.#values.has(key.toLowerCase());
  }

  /** Puts one value in place of all that the key had. @throws TypeError for a key or value that cannot be sent. */
  set(key: string, value: MetadataValue): this {
    const name = validKey(key);
    this.#values.set(name, [validValue(name, value)]);
    return this;
  }

  /** Adds a value to those that the key has. @throws TypeError for a key or value that cannot be sent. */
  append(key: string, value: MetadataValue): this {
    const name = validKey(key);
    const values = this.#values.get(name);
    if (values) values.push(validValue(name, value));
    else this.#values.set(name, [validValue(name, value)]);
    return this;
  }

  delete(key: string): boolean {
    return this.#values.delete(key.toLowerCase());
  }

  /** Calls `visit` with each key and all of its values: what `for … of` does, without a pair per value. */
  forEach(visit: (values: readonly MetadataValue[], key: string) => void): void {
    this.#values.forEach(visit);
  }

  /** Key and value pairs; a key with several values comes several times. */
  *[Symbol.iterator](): IterableIterator<[key: string, value: MetadataValue]> {
    for (const [key, values] of this.#values) for (const value of values) yield [key, value];
  }
}

function validKey(key: string): string {
  if (isKey(key)) return key;
  const name = key.toLowerCase();
  if (!isKey(name)) {
    throw new TypeError(
      `Metadata key ${JSON.stringify(key)} is not valid: expected letters, digits, "_", "-" and "." only.`,
    );
  }
  return name;
}

function validValue(key: string, value: MetadataValue): MetadataValue {
  if (key.endsWith("-bin")) {
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`Metadata key "${key}" ends in "-bin": expected a Uint8Array, found a string.`);
  }
  if (typeof value !== "string") {
    throw new TypeError(
      `Metadata key "${key}" holds text: expected a string; bytes go under a key in "-bin".`,
    );
  }
  if (!isText(value)) {
    throw new TypeError(
      `The value of metadata key "${key}" has a character outside printable ASCII; send such text as bytes under "${key}-bin".`,
    );
  }
  // HTTP/2 drops a value with blanks at its ends, all of it and without a word; gRPC allows to strip them.
  return value.startsWith(" ") || value.endsWith(" ") ? value.trim() : value;
}

// Regular expressions would say the same in fewer words and, for texts as short as these, twice the time.

function isKey(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    if (IN_KEYS[name.charCodeAt(index)] !== 1) return false;
  }
  return name !== "";
}

function isText(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code < BLANK || code > TILDE) return false;
  }
  return true;
}
