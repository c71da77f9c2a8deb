/** What a metadata key can hold: text, or bytes for keys that end in `-bin`. */
export type MetadataValue = string | Uint8Array;

const KEY = /^[0-9a-z_.-]+$/;
const TEXT = /^[ -~]*$/;

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
  const name = key.toLowerCase();
  if (!KEY.test(name)) {
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
  if (!TEXT.test(value)) {
    throw new TypeError(
      `The value of metadata key "${key}" has a character outside printable ASCII; send such text as bytes under "${key}-bin".`,
    );
  }
  // HTTP/2 drops a value with blanks at its ends, all of it and without a word; gRPC allows to strip them.
  return value.trim();
}
