/** Objects of Kubernetes, as they come out of YAML: nothing is known of them but what is looked at. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** "" for what belongs to no namespace, or does not say to which. */
  readonly namespace: string;
  readonly labels: Labels;
  readonly content: Fields;
}

export type Labels = Readonly<Record<string, string>>;

/** How an object is called in what is said of it: `Deployment greeter`. */
export function titleOf({ kind, name }: Manifest): string {
  return `${kind} ${name}`;
}

export function manifestOf(value: unknown): Manifest {
  const content = fields(value);
  return {
    apiVersion: text(content.apiVersion),
    kind: text(content.kind),
    name: text(get(content, "metadata", "name")),
    namespace: text(get(content, "metadata", "namespace")),
    labels: labels(get(content, "metadata", "labels")),
    content,
  };
}

/** The fields of a value, none where it has none. */
export function fields(value: unknown): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  // An object that is no array is one of fields.
  return isObject ? (value as Fields) : {};
}

export function get(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((current, name) => fields(current)[name], value);
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text or a number as text; "" for everything else. */
export function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

export function labels(value: unknown): Labels {
  return Object.fromEntries(Object.entries(fields(value)).map(([name, each]) => [name, text(each)]));
}

/** Every value within a value, with the name that it stands under. */
export function* walk(value: unknown, name = ""): Generator<{ name: string; value: unknown }> {
  yield { name, value };
  if (Array.isArray(value)) for (const each of value) yield* walk(each, name);
  else for (const [key, each] of Object.entries(fields(value))) yield* walk(each, key);
}
