import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { methodName } from "@gantry/rpc";
import {
  GraphQLBoolean,
  type GraphQLFieldConfig,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
} from "graphql";
import { lowerFirst, Names, pascal } from "./names.ts";
import { type ArgumentsReader, argumentsReader } from "./request.ts";
import { Types } from "./types.ts";

/** Does what the fields of the roots stand for. */
export interface Resolvers<Context> {
  /** @param requests the JSON of the one request, or of each where the method streams them */
  one(method: DescMethod, requests: readonly unknown[], context: Context): Promise<unknown>;
  many(method: DescMethod, requests: readonly unknown[], context: Context): AsyncIterable<unknown>;
}

/**
 * A schema for services, from their descriptors alone. Every method is a field of a root by the name of its
 * service and its own, `greeterSayHello`: mutations run one after the other, and subscriptions are possible,
 * at the root alone, so there are no groups below it for queries either.
 *
 * | the method | is |
 * |---|---|
 * | streams its responses | a subscription |
 * | has no side effects (`idempotency_level`) | a query |
 * | any other | a mutation |
 *
 * A method's arguments are the fields of its request; where it streams requests, the list of them.
 */
export function createSchema<Context>(
  services: readonly DescService[],
  resolvers: Resolvers<Context>,
): GraphQLSchema {
  const types = new Types();
  const names = new Names([]);
  const fields = (): Fields<Context> => new Map();
  const roots = { query: fields(), mutation: fields(), subscription: fields() };
  for (const service of services) {
    for (const method of service.methods) {
      const name = names.take([service.name, pascal(service.typeName)].map((of) => nameIn(of, method)));
      roots[rootOf(method)].set(name, fieldFor(method, types, resolvers));
    }
  }
  const root = (name: string, fields: Fields<Context>) =>
    fields.size > 0 ? new GraphQLObjectType({ name, fields: Object.fromEntries(fields) }) : undefined;
  return new GraphQLSchema({
    query: root("Query", roots.query) ?? NO_QUERIES,
    mutation: root("Mutation", roots.mutation) ?? null,
    subscription: root("Subscription", roots.subscription) ?? null,
  });
}

type Fields<Context> = Map<string, GraphQLFieldConfig<unknown, Context>>;

/** GraphQL has no schema without queries. */
const NO_QUERIES = new GraphQLObjectType({
  name: "Query",
  fields: {
    _: { type: GraphQLBoolean, description: "None of the services has a method without side effects." },
  },
});

function nameIn(service: string, method: DescMethod): string {
  return `${lowerFirst(service)}${pascal(method.name)}`;
}

function rootOf(method: DescMethod): "query" | "mutation" | "subscription" {
  if (method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming")
    return "subscription";
  return method.idempotency === Idempotency.NO_SIDE_EFFECTS ? "query" : "mutation";
}

function fieldFor<Context>(
  method: DescMethod,
  types: Types,
  resolvers: Resolvers<Context>,
): GraphQLFieldConfig<unknown, Context, Record<string, unknown>> {
  const { input } = method;
  const streams = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const readOne = argumentsReader(input);
  const requestsOf = streams
    ? // The one argument is a list of the input type that is given below.
      ({ requests }: Record<string, unknown>) => (requests as Parameters<ArgumentsReader>[0][]).map(readOne)
    : (args: Record<string, unknown>) => [readOne(args)];
  const many = new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(types.input(input))));
  const field = {
    type: types.output(method.output),
    args: streams ? { requests: { type: many } } : types.inputFields(input),
    description: methodName(method),
    ...(method.deprecated && { deprecationReason: "The contract says so." }),
  };
  if (rootOf(method) !== "subscription") {
    return { ...field, resolve: (_, args, context) => resolvers.one(method, requestsOf(args), context) };
  }
  return {
    ...field,
    subscribe: (_, args, context) => resolvers.many(method, requestsOf(args), context),
    resolve: (message) => message,
  };
}
