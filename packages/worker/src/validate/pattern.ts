/**
 * The `pattern` rule is written in RE2's syntax and matched by RE2 in time linear in the text.
 * JavaScript's RegExp is much quicker to load and to run, but reads some patterns otherwise, and may
 * take exponential time. So a pattern becomes a RegExp only if every part of it is known to mean the
 * same in both, and if it leaves RegExp little to try again, whatever the text:
 *
 * - it starts with `^`, so it is tried at one place only;
 * - at most one part repeats without bound, and what stands beside it is short;
 * - what varies besides multiplies to a small number;
 * - nothing that varies stands inside a group that repeats.
 *
 * Source: https://github.com/google/re2/wiki/Syntax
 */

/** A RegExp that is as good as RE2 for this pattern; undefined where there may be none. */
export function compilePattern(pattern: string): RegExp | undefined {
  if (!pattern.startsWith("^")) return undefined;
  const reading: Reading = { source: "^", ways: 1, length: 0, unbounded: 0, groups: [] };
  for (let index = 1; index < pattern.length; ) {
    TOKEN.lastIndex = index;
    const token = TOKEN.exec(pattern)?.groups;
    if (!token || !take(reading, token)) return undefined;
    index = TOKEN.lastIndex;
  }
  const { source, ways, length, unbounded, groups } = reading;
  // What repeats without bound may be given back character by character, and all else tried each time.
  const cheap = unbounded === 0 ? ways <= 1_000 : unbounded === 1 && ways * length <= 100;
  if (groups.length > 0 || !cheap) return undefined;
  try {
    return new RegExp(source, "u");
  } catch {
    return undefined; // such as the range [z-a], which RE2 refuses too, and says so
  }
}

interface Reading {
  /** What has been read, in RegExp's syntax. */
  source: string;
  /** An upper bound to the ways in which it can match, but for what repeats without bound. */
  ways: number;
  /** How many characters it can match at most, but for what repeats without bound. */
  length: number;
  /** How many parts repeat without bound. */
  unbounded: number;
  /** The groups that are open, innermost last. */
  readonly groups: { varies: boolean; readonly start: number }[];
}

/** RE2 takes no greater count. */
const MOST_REPEATS = 1_000;

const CATEGORY = "L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|Cc|Cf|Co";
const MANY = String.raw`\\(?:[dDwW]|[pP]\{(?:${CATEGORY})\})`;
const ONE = String.raw`\\(?:[\\^$.*+?()[\]{}|/fnrtv]|x[0-9a-fA-F]{2})`;
const IN_CLASS = String.raw`(?:[^\\\]\[^-]|\\-|${ONE})`;
const CLASS = String.raw`\[\^?-?(?:${MANY}|${IN_CLASS}(?:-${IN_CLASS})?)+-?\]`;

type Token = Readonly<Record<string, string | undefined>>;

/** One part with its quantifier, in the syntax that both engines read alike (but for `.`). */
const TOKEN = new RegExp(
  [
    String.raw`(?<end>\$)`,
    String.raw`(?<open>\((?:\?:|(?!\?)))`,
    String.raw`(?<or>\|)`,
    String.raw`(?:(?<close>\))|(?<dot>\.)|(?<one>[^\\^$.*+?()[\]{}|]|${MANY}|${ONE}|${CLASS}))(?<repeat>(?<simple>[*+?])\??|\{(?<least>\d{1,4})(?<upTo>,(?<most>\d{0,4}))?\}\??)?`,
  ].join("|"),
  "uy",
);

/** Reads one token. False: it is beyond what can be vouched for. */
function take(reading: Reading, token: Token): boolean {
  const { groups } = reading;
  if (token.end) {
    reading.source += "$";
  } else if (token.open) {
    groups.push({ varies: false, start: reading.length });
    reading.source += "(?:";
  } else if (token.or) {
    const group = groups.at(-1);
    if (!group) return false;
    group.varies = true;
    reading.ways *= 2;
    reading.source += "|";
  } else {
    return takeRepeated(reading, token);
  }
  return true;
}

/** Reads what may repeat: a character, a class of them, or the end of a group. */
function takeRepeated(reading: Reading, token: Token): boolean {
  const closed = token.close ? reading.groups.pop() : { varies: false, start: reading.length };
  if (!closed || (closed.varies && token.repeat)) return false;
  const { least, most } = bounds(token);
  if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Infinity)) return false;
  if (!token.close) reading.length += 1;
  if (most === Infinity) {
    reading.unbounded += 1;
  } else {
    reading.ways *= most - least + 1;
    reading.length = closed.start + (reading.length - closed.start) * most;
  }
  const group = reading.groups.at(-1);
  if (group) group.varies ||= closed.varies || most !== least;
  // RE2's dot stops at a line feed only, RegExp's at three more characters.
  reading.source += (token.close ?? (token.dot ? "[^\\n]" : token.one)) + (token.repeat ?? "");
  return true;
}

function bounds({ repeat, simple, least, upTo, most }: Token): { least: number; most: number } {
  if (!repeat) return { least: 1, most: 1 };
  if (simple) return { least: simple === "+" ? 1 : 0, most: simple === "?" ? 1 : Infinity };
  if (!upTo) return { least: Number(least), most: Number(least) };
  return { least: Number(least), most: most ? Number(most) : Infinity };
}
