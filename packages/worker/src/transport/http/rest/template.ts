/**
 * # Path templates
 *
 *     Template  = "/" Segments [ Verb ] ;
 *     Segments  = Segment { "/" Segment } ;
 *     Segment   = "*" | "**" | LITERAL | Variable ;
 *     Variable  = "{" FieldPath [ "=" Segments ] "}" ;
 *     FieldPath = IDENT { "." IDENT } ;
 *     Verb      = ":" LITERAL ;
 *
 * Beside the grammar, `/` alone is a template too: that of the root.
 *
 * Source: the comments of google/api/http.proto.
 */

export interface PathTemplate {
  /** As the proto has it. */
  readonly source: string;
  readonly segments: readonly Segment[];
  readonly variables: readonly Variable[];
  /** What stands behind the last colon, decoded; "" where there is none. */
  readonly verb: string;
}

/** A literal, decoded; `*`: one segment that is not empty; `**`: any number of segments, as the last. */
export type Segment = { readonly kind: "literal"; readonly text: string } | { readonly kind: "*" | "**" };

/** A part of the path that is the value of a field. */
export interface Variable {
  /** `book.name` */
  readonly fieldPath: string;
  /** The index of its first segment. */
  readonly start: number;
  /** The index behind its last segment; undefined: it goes on to the end of the path. */
  readonly end: number | undefined;
  /** Whether it may have more than one segment, which is decoded differently. */
  readonly multiple: boolean;
}

/** @throws Error with a sentence that says what the template breaks */
export function parseTemplate(source: string): PathTemplate {
  if (!source.startsWith("/")) throw new Error('expected a path that starts with "/"');
  const verbAt = verbStart(source);
  const verb = verbAt === undefined ? "" : literal(source.slice(verbAt + 1), "the verb");
  const path = source.slice(1, verbAt);
  const segments: Segment[] = [];
  const variables: Variable[] = [];
  for (const part of path === "" ? [] : path.split(SLASH_OUTSIDE)) {
    if (part.startsWith("{")) variables.push(addVariable(part, segments));
    else segments.push(segment(part));
  }
  const rest = segments.findIndex(({ kind }) => kind === "**");
  if (rest !== -1 && rest < segments.length - 1) {
    throw new Error('"**" must be the last part of the path, but for the verb');
  }
  return { source, segments, variables, verb };
}

/** Where the verb's colon stands: the last one, if neither a slash nor a brace comes behind it. */
function verbStart(source: string): number | undefined {
  const at = source.lastIndexOf(":");
  return at === -1 || /[/}]/.test(source.slice(at)) ? undefined : at;
}

/** A slash that no closing brace follows before an opening one does. */
const SLASH_OUTSIDE = /\/(?![^{]*\})/;
const VARIABLE = /^\{([^{}=]*)(=[^{}]*)?\}$/;
const FIELD_PATH = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/;

function addVariable(part: string, segments: Segment[]): Variable {
  const [, fieldPath = "", pattern = "=*"] = VARIABLE.exec(part) ?? [];
  if (!FIELD_PATH.test(fieldPath)) {
    throw new Error(`${part} is no variable: expected {field} or {field=segments}, and none in another`);
  }
  const start = segments.length;
  const own = pattern.slice(1).split("/").map(segment);
  segments.push(...own);
  const open = own.at(-1)?.kind === "**";
  return { fieldPath, start, end: open ? undefined : segments.length, multiple: open || own.length > 1 };
}

function segment(text: string): Segment {
  return text === "*" || text === "**"
    ? { kind: text }
    : { kind: "literal", text: literal(text, "a segment") };
}

/** What a path may hold as it is; other characters are percent-encoded, or not ASCII. */
const LITERAL = /^(?:[A-Za-z0-9._~!$&'()+,;=:@-]|%[0-9A-Fa-f]{2}|[^\p{ASCII}])+$/u;

function literal(text: string, what: string): string {
  if (text === "") throw new Error(`${what} is empty`);
  if (!LITERAL.test(text)) {
    throw new Error(
      `${what}, ${text}, holds characters that must be percent-encoded, or a "*" that is no segment`,
    );
  }
  return decodeURIComponent(text);
}
