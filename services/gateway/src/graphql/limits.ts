import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from "graphql";

/** What one document may ask for. */
export const LIMITS = {
  /** Of the document's text. */
  characters: 16 * 1024,
  /** Of the request's body, variables included. */
  bodyBytes: 1024 * 1024,
  /** Words and signs, so that the parser does no more than a limited work. */
  tokens: 2_000,
  /** Fields inside of fields. Introspection has a limit of GraphQL's own. */
  depth: 10,
  /** Every field costs 1, each time that an alias or a fragment brings it; a root field, which is a call, more. */
  cost: 1_000,
} as const;

/** What a field of the root costs, as each of them is a call. */
export const CALL_COST = 20;

/**
 * Looks how deep and costly each operation of a document is, before anything else looks at it: GraphQL's own
 * rules compare fields with each other, which takes long where there are thousands.
 *
 * @returns what is wrong with it
 */
export function limitsPassed(document: DocumentNode): GraphQLError | undefined {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const sizeOf = sizes(fragments);
  // Fragments too: those that no operation uses are compared all the same.
  for (const definition of document.definitions) {
    if (!("selectionSet" in definition) || !definition.selectionSet) continue;
    const isOperation = definition.kind === Kind.OPERATION_DEFINITION;
    const { depth, cost, roots } = sizeOf(definition.selectionSet);
    const total = cost + (isOperation ? roots * CALL_COST : 0);
    // A fragment's depth counts where it is used: introspection has deep ones.
    if (isOperation && depth > LIMITS.depth) {
      return tooMuch(`The document has fields ${depth} deep: expected at most ${LIMITS.depth}.`);
    }
    if (total > LIMITS.cost) {
      return tooMuch(
        `The document costs ${total}, 1 for each field and ${CALL_COST} more for each call: expected at most ${LIMITS.cost}.`,
      );
    }
  }
  return undefined;
}

/** An error that says so to clients, as all that this gateway refuses for its size. */
export function tooMuch(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "GRAPHQL_LIMIT_EXCEEDED", http: { status: 400 } } });
}

interface Size {
  readonly depth: number;
  /** Every field counted. */
  readonly cost: number;
  /** The fields that stand side by side at the top. */
  readonly roots: number;
}

const NOTHING: Size = { depth: 0, cost: 0, roots: 0 };

/** Measures sets of fields; each fragment once, however often it is used, and one inside of itself as nothing. */
function sizes(fragments: ReadonlyMap<string, FragmentDefinitionNode>): (set: SelectionSetNode) => Size {
  const known = new Map<string, Size>();

  function ofFragment(name: string): Size {
    const found = known.get(name);
    if (found) return found;
    // Until it is known: GraphQL's own rules refuse a fragment that has itself inside.
    known.set(name, NOTHING);
    const fragment = fragments.get(name);
    const size = fragment ? ofSet(fragment.selectionSet) : NOTHING;
    known.set(name, size);
    return size;
  }

  function ofSet({ selections }: SelectionSetNode): Size {
    let [depth, cost, roots] = [0, 0, 0];
    for (const selection of selections) {
      const size =
        selection.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(selection.name.value)
          : selection.selectionSet
            ? ofSet(selection.selectionSet)
            : NOTHING;
      const isField = selection.kind === Kind.FIELD;
      const isOwn = isField && selection.name.value.startsWith("__");
      depth = Math.max(depth, isOwn ? 0 : size.depth + (isField ? 1 : 0));
      cost += size.cost + (isField ? 1 : 0);
      roots += isField ? (isOwn ? 0 : 1) : size.roots;
    }
    return { depth, cost, roots };
  }

  return ofSet;
}
