/**
 * # JSON as strangers send it
 *
 * `JSON.parse` would do, but for four things that protobuf's JSON needs. It rounds whole numbers past 2^53, of
 * which an int64 has all digits; of a name that stands twice it keeps the last; it does not bound nesting; and it
 * does not always say where a text stops being JSON. This reader takes the same texts, gives the same values,
 * and does these four as well.
 */

import type { JsonValue } from "@bufbuild/protobuf";

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;

export interface JsonObject {
  [name: string]: Json;
}

/** How deep lists and objects may stand in each other, which is protobuf's own bound for messages. */
export const MOST_NESTED = 100;

/** The message is a sentence without its end: `line 3, column 14: expected "," or "}", found "x"`. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";
}

/** Whole numbers that a double does not hold come as `bigint`. @throws JsonFault */
export function parseJson(text: string): Json {
  return new JsonReader(text).document();
}

export function isJsonObject(json: Json | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WHOLE = /^-?[0-9]+$/;
/** What stands in a text as it is. It always fits, if only for no character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what JSON does not allow
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** No field holds a whole number of more digits, and to make one of a million digits takes a while. */
const MOST_EXACT_DIGITS = 25;

/** A whole number of so many digits is exact as a double, at every step of reading it. */
const MOST_SHORT_DIGITS = 15;

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    if (!Number.isNaN(this.#next())) throw this.#unexpected("nothing more");
    return value;
  }

  /** @param depth how many lists and objects the value stands in */
  #value(depth: number): Json {
    const next = this.#next();
    if (next === QUOTE) return this.#string();
    if (next === OPEN_OBJECT || next === OPEN_LIST) {
      if (depth === MOST_NESTED)
        throw this.#fault(`lists and objects are nested more than ${MOST_NESTED} deep`);
      return next === OPEN_OBJECT ? this.#object(depth + 1) : this.#list(depth + 1);
    }
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    if (this.#word("null")) return null;
    return this.#number();
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = {};
    this.#at += 1;
    if (this.#next() === CLOSE_OBJECT) {
      this.#at += 1;
      return object;
    }
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#unexpected("a name in double quotes");
      const nameAt = this.#at;
      const name = this.#string();
      if (Object.hasOwn(object, name)) {
        this.#at = nameAt;
        throw this.#fault(`the name ${quoted(name)} stands twice in one object`);
      }
      if (this.#next() !== COLON) throw this.#unexpected('":" after a name');
      this.#at += 1;
      put(object, name, this.#value(depth));
      const next = this.#next();
      if (next !== COMMA && next !== CLOSE_OBJECT) throw this.#unexpected('"," or "}" after a value');
      this.#at += 1;
      if (next === CLOSE_OBJECT) return object;
    }
  }

  #list(depth: number): Json[] {
    const list: Json[] = [];
    this.#at += 1;
    if (this.#next() === CLOSE_LIST) {
      this.#at += 1;
      return list;
    }
    for (;;) {
      list.push(this.#value(depth));
      const next = this.#next();
      if (next !== COMMA && next !== CLOSE_LIST) throw this.#unexpected('"," or "]" after a value');
      this.#at += 1;
      if (next === CLOSE_LIST) return list;
    }
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    PLAIN.lastIndex = start + 1;
    for (;;) {
      PLAIN.test(text);
      const at = PLAIN.lastIndex;
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code !== BACKSLASH) throw this.#unexpectedAt(at, "a text that ends in double quotes");
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) throw this.#unexpectedAt(at, "an escape of JSON, as \\n or \\u00e9");
      escaped = true;
      PLAIN.lastIndex = ESCAPE.lastIndex;
    }
    const end = PLAIN.lastIndex;
    this.#at = end + 1;
    // Escapes are JSON.parse's to read; that they are well made is known.
    return escaped ? String(JSON.parse(text.slice(start, end + 1))) : text.slice(start + 1, end);
  }

  #number(): number | bigint {
    return this.#shortNumber() ?? this.#anyNumber();
  }

  /** Most numbers are a few digits; undefined, and nothing read, where it is more than that. */
  #shortNumber(): number | undefined {
    let at = this.#at;
    let value = 0;
    let code = this.#text.charCodeAt(at);
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + code - ZERO;
      at += 1;
      code = this.#text.charCodeAt(at);
    }
    const digits = at - this.#at;
    const ends = code === COMMA || code === CLOSE_LIST || code === CLOSE_OBJECT;
    if (!ends || digits === 0 || digits > MOST_SHORT_DIGITS) return undefined;
    if (digits > 1 && this.#text.charCodeAt(this.#at) === ZERO) return undefined;
    this.#at = at;
    return value;
  }

  #anyNumber(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const source = NUMBER.exec(this.#text)?.[0];
    if (source === undefined) throw this.#unexpected("a value");
    this.#at += source.length;
    const value = Number(source);
    if (Number.isSafeInteger(value) || source.length > MOST_EXACT_DIGITS || !WHOLE.test(source)) return value;
    return BigInt(source);
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** The code of the next character that is no white space; NaN at the end. */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== SPACE && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at += 1;
    }
  }

  #unexpectedAt(at: number, expected: string): JsonFault {
    this.#at = at;
    return this.#unexpected(expected);
  }

  #unexpected(expected: string): JsonFault {
    const code = this.#text.codePointAt(this.#at);
    const found = code === undefined ? "the end" : quoted(String.fromCodePoint(code));
    return this.#fault(`expected ${expected}, found ${found}`);
  }

  #fault(what: string): JsonFault {
    let line = 1;
    let lineStart = 0;
    for (let end = this.#text.indexOf("\n"); end !== -1 && end < this.#at; ) {
      line += 1;
      lineStart = end + 1;
      end = this.#text.indexOf("\n", lineStart);
    }
    // Columns count characters, of which some are two units of UTF-16.
    const column = [...this.#text.slice(lineStart, this.#at)].length + 1;
    return new JsonFault(`line ${line}, column ${column}: ${what}`);
  }
}

/** A list or an object whose parts have all been made to fit, none of them a `bigint` any more. */
export function fitting(json: Json[] | JsonObject): JsonValue {
  // The parts were replaced one by one, which types cannot follow.
  return json as JsonValue;
}

/** Sets a property of its own, whatever it is called: to assign `__proto__` would set something else. */
export function put(object: JsonObject, name: string, value: Json): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
  } else {
    object[name] = value;
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length <= 60 ? text : `${text.slice(0, 60)}…`);
}
