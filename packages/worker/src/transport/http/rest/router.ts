/**
 * # From paths to methods
 *
 * All templates stand in one tree, a level for each segment. A path is looked up from left to right, and where
 * more than one way is open, a literal goes before `*`, and `*` before `**`; of those that end alike, the one
 * with a verb before that without. A node of the tree is visited at most once per look-up, so no path takes
 * longer than the tree is large.
 */
import { createRegistry, type DescFile, type DescMethod, type Registry } from "@bufbuild/protobuf";
import { bindingsOf, type PathVariable, type RestBinding } from "./binding.ts";
import { RestBindingError } from "./binding-error.ts";
import { decodedOrRaw } from "./path-text.ts";

export interface RestRouter {
  /**
   * @param httpMethod as it came; HEAD finds what GET does
   * @param path as it came, without the query
   * @returns undefined where there is no such path; `allow` where the path is there, for these methods only
   */
  match(httpMethod: string, path: string): RestMatch | undefined;
  /** Every binding, in the order of the methods given, additional ones behind their first. */
  readonly bindings: readonly RestBinding[];
  /** The message types that the methods' files know of: what a `google.protobuf.Any` may hold. */
  readonly types: () => Registry;
}

export type RestMatch =
  | { readonly binding: RestBinding; readonly captures: readonly Capture[] }
  | { readonly allow: readonly string[] };

/** What a path has for a variable, still encoded. */
export interface Capture {
  readonly variable: PathVariable;
  readonly raw: string;
}

/** @throws RestBindingError with all problems at once, each naming method and binding; collisions name both */
export function createRestRouter(methods: readonly DescMethod[]): RestRouter {
  const problems: string[] = [];
  const types = typesOf(methods);
  const bindings = methods.flatMap((method) => bindingsOf(method, types, problems));
  const root = new Node();
  const verbs = new Set<string>();
  for (const binding of bindings) {
    const rival = root.add(binding);
    if (rival)
      problems.push(`${rival.name} and ${binding.name} take the same requests: expected one of them`);
    if (binding.template.verb !== "") verbs.add(binding.template.verb);
  }
  if (problems.length > 0) throw new RestBindingError(problems);
  return { bindings, types, match: (httpMethod, path) => match(root, verbs, httpMethod, path) };
}

function typesOf(methods: readonly DescMethod[]): () => Registry {
  let types: Registry | undefined;
  return () => {
    types ??= createRegistry(
      ...withImports(methods.flatMap(({ input, output }) => [input.file, output.file])),
    );
    return types;
  };
}

function withImports(files: readonly DescFile[], all = new Set<DescFile>()): Set<DescFile> {
  for (const file of files) {
    if (all.has(file)) continue;
    all.add(file);
    withImports(file.dependencies, all);
  }
  return all;
}

/** The bindings of one template, by HTTP method. */
type Ends = Map<string, RestBinding>;

class Node {
  readonly #literals = new Map<string, Node>();
  #any: Node | undefined;
  /** The templates that end here, by verb. */
  readonly #ends = new Map<string, Ends>();
  /** The templates that end here with `**`, by verb. */
  readonly #rests = new Map<string, Ends>();

  /** The binding that has that place already, or undefined. */
  add(binding: RestBinding, index = 0): RestBinding | undefined {
    const { segments, verb } = binding.template;
    const segment = segments[index];
    if (segment?.kind === "literal")
      return childOf(this.#literals, segment.text, newNode).add(binding, index + 1);
    if (segment?.kind === "*") {
      this.#any ??= new Node();
      return this.#any.add(binding, index + 1);
    }
    const ends = childOf(segment ? this.#rests : this.#ends, verb, newEnds);
    const rival = ends.get(binding.httpMethod);
    if (!rival) ends.set(binding.httpMethod, binding);
    return rival;
  }

  /** Shows the templates that fit, the most specific first, until one is taken. */
  find(path: RequestPath, index: number, take: (ends: Ends) => boolean): boolean {
    const segment = path.segments[index];
    if (segment === undefined) return taken(this.#ends, path, take) || taken(this.#rests, path, take);
    return (
      this.#literals.get(decodedOrRaw(segment))?.find(path, index + 1, take) ||
      (segment !== "" && this.#any?.find(path, index + 1, take)) ||
      taken(this.#rests, path, take)
    );
  }
}

function newNode(): Node {
  return new Node();
}

function newEnds(): Ends {
  return new Map();
}

function childOf<T>(children: Map<string, T>, name: string, make: () => T): T {
  const known = children.get(name);
  if (known) return known;
  const made = make();
  children.set(name, made);
  return made;
}

interface RequestPath {
  readonly segments: readonly string[];
  readonly verb: string;
}

function taken(byVerb: Map<string, Ends>, { verb }: RequestPath, take: (ends: Ends) => boolean): boolean {
  const ends = byVerb.get(verb);
  return ends !== undefined && take(ends);
}

function match(
  root: Node,
  verbs: ReadonlySet<string>,
  httpMethod: string,
  path: string,
): RestMatch | undefined {
  const wanted = httpMethod === "HEAD" ? ["HEAD", "GET", "*"] : [httpMethod, "*"];
  const allow = new Set<string>();
  for (const read of readings(path, verbs)) {
    let found: RestBinding | undefined;
    root.find(read, 0, (ends) => {
      for (const one of ends.keys()) allow.add(one);
      for (const one of wanted) found ??= ends.get(one);
      return found !== undefined;
    });
    if (found) return { binding: found, captures: capturesOf(found, read.segments) };
  }
  if (allow.size === 0) return undefined;
  if (allow.has("GET")) allow.add("HEAD");
  return { allow: [...allow].sort() };
}

/** A path's last segment may end in a verb, and may as well just hold a colon. */
function readings(path: string, verbs: ReadonlySet<string>): RequestPath[] {
  if (!path.startsWith("/")) return [];
  const plain = { segments: path === "/" ? [] : path.slice(1).split("/"), verb: "" };
  const colon = path.lastIndexOf(":");
  if (colon === -1 || path.includes("/", colon)) return [plain];
  const verb = decodedOrRaw(path.slice(colon + 1));
  if (!verbs.has(verb)) return [plain];
  return [{ segments: path.slice(1, colon).split("/"), verb }, plain];
}

function capturesOf({ variables }: RestBinding, segments: readonly string[]): Capture[] {
  return variables.map((variable) => ({
    variable,
    raw: segments.slice(variable.start, variable.end).join("/"),
  }));
}
