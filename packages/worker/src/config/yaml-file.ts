import { basename } from "node:path";
import type { Document, LineCounter, Node } from "yaml";
import { MAX_CONFIG_BYTES } from "./config-file.ts";

/** A value of a YAML file, with the line on which it stands; the first is 1. */
export type YamlNode = YamlMapping | YamlList | YamlScalar;

export interface YamlMapping {
  readonly kind: "mapping";
  readonly line: number;
  /** Problems must not quote its keys. */
  readonly secret: boolean;
  readonly entries: readonly YamlEntry[];
}

export interface YamlEntry {
  readonly key: string;
  readonly line: number;
  readonly value: YamlNode;
}

export interface YamlList {
  readonly kind: "list";
  readonly line: number;
  readonly items: readonly YamlNode[];
}

export interface YamlScalar {
  readonly kind: "scalar";
  readonly line: number;
  /** Problems must not quote it. */
  readonly secret: boolean;
  /** Whole numbers are bigint. */
  readonly value: string | number | bigint | boolean | null;
}

/** Takes what is wrong with a file: a sentence about a line. */
export type Report = (line: number, problem: string) => void;

export interface YamlFile {
  /** What the file says; undefined where it is no YAML, which is reported. */
  readonly root: YamlNode | undefined;
  /** `policy.yaml:4`: how errors and explanations name a line. */
  at(line: number): string;
  readonly report: Report;
  /** All that was reported, by line: `policy.yaml:4: …`; past twenty, only how many more there are. */
  problems(): readonly string[];
}

/** More is no configuration, but meant to use up the worker: aliases count as what they stand for. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 64;
const MAX_PROBLEMS = 20;

export interface YamlOptions {
  /** Problems name lines and fields, but quote nothing of the file: it may hold secrets. Default: false. */
  readonly secret?: boolean;
}

/** Reads YAML as plain values with lines, so that whoever makes sense of them can say where they do not. */
export async function parseYaml(
  path: string,
  content: string,
  { secret = false }: YamlOptions = {},
): Promise<YamlFile> {
  const name = basename(path);
  const found: { line: number; problem: string }[] = [];
  const at = (line: number) => `${name}:${line}`;
  const report: Report = (line, problem) => {
    found.push({ line, problem });
  };
  return {
    root: await rootOf(content, report, secret),
    at,
    report,
    problems() {
      const sorted = found.toSorted((one, other) => one.line - other.line);
      const told = sorted.slice(0, MAX_PROBLEMS).map(({ line, problem }) => `${at(line)}: ${problem}`);
      const more = found.length - told.length;
      return more === 0 ? told : [...told, `${name}: and ${more} more problems`];
    },
  };
}

async function rootOf(content: string, report: Report, secret: boolean): Promise<YamlNode | undefined> {
  if (Buffer.byteLength(content) > MAX_CONFIG_BYTES) {
    report(1, `the file is too large: expected at most ${MAX_CONFIG_BYTES} bytes`);
    return undefined;
  }
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(content, {
    lineCounter: lines,
    intAsBigInt: true,
    prettyErrors: false,
    resolveKnownTags: false,
    // Its own check takes a time that grows with the square of the keys; `TreeReader` does it in one pass.
    uniqueKeys: false,
  });
  const broken = [...document.errors, ...document.warnings];
  for (const { pos, code, message } of broken) {
    report(lines.linePos(pos[0]).line, secret ? `this is no YAML: ${code}` : message);
  }
  return broken.length > 0 ? undefined : new TreeReader(yaml, document, lines, report, secret).read();
}

/** Too deep, too much, or self-referring: what is read of it is given up. */
class TooMuch extends Error {}

class TreeReader {
  readonly #yaml: typeof import("yaml");
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  readonly #report: Report;
  readonly #secret: boolean;
  /** What anchors stand for, and how many values that is. */
  readonly #anchors = new Map<string, { node: YamlNode; values: number }>();
  #values = 0;

  constructor(
    yaml: typeof import("yaml"),
    document: Document.Parsed,
    lines: LineCounter,
    report: Report,
    secret: boolean,
  ) {
    this.#yaml = yaml;
    this.#document = document;
    this.#lines = lines;
    this.#report = report;
    this.#secret = secret;
  }

  read(): YamlNode | undefined {
    try {
      return this.#node(this.#document.contents, 1, 0);
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      return undefined;
    }
  }

  /** @param line where the node is expected, for one that is not there */
  #node(node: Node | null | undefined, line: number, depth: number): YamlNode {
    if (!node) return { kind: "scalar", line, secret: this.#secret, value: null };
    const own = this.#lineOf(node) ?? line;
    if (depth > MAX_DEPTH)
      this.#giveUp(own, `the file nests too deeply: expected at most ${MAX_DEPTH} levels`);
    if (this.#yaml.isAlias(node)) return this.#aliased(node.source, own);
    const before = this.#values;
    this.#count(1, own);
    const read = this.#read(node, own, depth);
    if (node.anchor) this.#anchors.set(node.anchor, { node: read, values: this.#values - before });
    return read;
  }

  #read(node: Node, line: number, depth: number): YamlNode {
    if (this.#yaml.isSeq<Node | null>(node)) {
      return { kind: "list", line, items: node.items.map((item) => this.#node(item, line, depth + 1)) };
    }
    if (this.#yaml.isMap<Node, Node | null>(node)) {
      const keys = new Set<string>();
      const entries = node.items.flatMap(({ key, value }): YamlEntry[] => {
        const at = this.#lineOf(key) ?? line;
        const read = { key: this.#key(key, at), line: at, value: this.#node(value, at, depth + 1) };
        if (!keys.has(read.key)) {
          keys.add(read.key);
          return [read];
        }
        const what = this.#secret ? "a key" : JSON.stringify(read.key);
        this.#report(at, `${what} stands here a second time: expected it once`);
        return [];
      });
      return { kind: "mapping", line, secret: this.#secret, entries };
    }
    // The core schema of YAML 1.2 knows no other scalars; whole numbers are bigint by `intAsBigInt`.
    return {
      kind: "scalar",
      line,
      secret: this.#secret,
      value: this.#yaml.isScalar(node) ? (node.value as YamlScalar["value"]) : null,
    };
  }

  #key(key: Node, line: number): string {
    if (this.#yaml.isScalar(key)) return String(key.value);
    this.#report(line, "a key is not a word: expected a name");
    return "";
  }

  #aliased(source: string, line: number): YamlNode {
    const target = this.#anchors.get(source);
    if (!target) {
      const what = this.#secret ? "an alias" : `*${source}`;
      return this.#giveUp(line, `${what} stands for nothing that is complete before it`);
    }
    this.#count(target.values, line);
    return target.node;
  }

  #count(values: number, line: number): void {
    this.#values += values;
    if (this.#values > MAX_VALUES)
      this.#giveUp(line, `the file holds too much: expected at most ${MAX_VALUES} values`);
  }

  #giveUp(line: number, problem: string): never {
    this.#report(line, problem);
    throw new TooMuch();
  }

  #lineOf(node: Node): number | undefined {
    return node.range ? this.#lines.linePos(node.range[0]).line : undefined;
  }
}
