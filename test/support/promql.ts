/** Reads which metrics and labels a query of Prometheus names. That it is a query at all, Prometheus has to say. */

/** A metric, and what a query asks of its labels. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface References {
  readonly selectors: readonly Selector[];
  /** Labels that it groups or joins by. */
  readonly groupings: readonly string[];
}

const TOKEN = /"(?:\\.|[^"\\])*"|[a-zA-Z_:][\w:]*|\d[\w.]*|=~|!~|!=|[^\s]/g;
const GROUPINGS = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const WORDS = new Set(["and", "or", "unless", "bool", "offset"]);

/** @param query as Prometheus's `format_query` writes it */
export function referencesOf(query: string): References {
  const tokens: readonly string[] = query.match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] ?? "";
    const next = tokens[at + 1] ?? "";
    if (!/^[a-zA-Z_:]/.test(token) || WORDS.has(token)) continue;
    if (GROUPINGS.has(token)) {
      if (next !== "(") continue;
      const end = tokens.indexOf(")", at);
      groupings.push(...tokens.slice(at + 2, end).filter((each) => each !== ","));
      at = end;
    } else if (next === "{") {
      const end = tokens.indexOf("}", at);
      selectors.push({ metric: token, matchers: matchersOf(tokens.slice(at + 2, end)) });
      at = end;
    } else if (next !== "(" && !GROUPINGS.has(next)) {
      selectors.push({ metric: token, matchers: [] });
    }
  }
  return { selectors, groupings };
}

function matchersOf(tokens: readonly string[]): Matcher[] {
  const matchers: Matcher[] = [];
  for (let at = 0; at + 2 < tokens.length; at += 4) {
    const [label = "", operator = "", value = '""'] = tokens.slice(at, at + 3);
    matchers.push({ label, operator, value: JSON.parse(value) });
  }
  return matchers;
}
