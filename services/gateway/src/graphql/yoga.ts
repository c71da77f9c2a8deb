import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Logger, WebCaller, WebPeer } from "@gantry/worker";
import { GraphQLError, getOperationAST, type ParseOptions, parse, type Source } from "graphql";
import {
  createGraphQLError,
  createLRUCache,
  createYoga,
  type Plugin,
  type YogaInitialContext,
} from "graphql-yoga";
import { type ClientOf, callForMany, callForOne, readRequests } from "../json/json-call.ts";
import type { JsonCodec } from "../json/json-codec.ts";
import { graphqlError } from "./errors.ts";
import { LIMITS, limitsPassed, tooMuch } from "./limits.ts";
import { createSchema, type Resolvers } from "./schema.ts";

export interface GraphqlOptions {
  readonly services: readonly DescService[];
  readonly codec: JsonCodec;
  readonly log: Logger;
  /** Clients whose calls come from this peer. */
  readonly clientOf: (peer: WebPeer) => ClientOf;
  /** Who may see the schema. @throws RpcError for others */
  readonly admit: (caller: WebCaller) => Promise<void>;
}

/** Answers a request whose calls are made for this caller. */
export type GraphqlHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  context: { readonly caller: WebCaller },
) => unknown;

interface ServerContext {
  readonly caller: WebCaller;
}

type Context = ServerContext & YogaInitialContext;

/** GraphQL over HTTP, with subscriptions as server-sent events and GraphiQL for browsers. */
export function createGraphqlHandler(options: GraphqlOptions): GraphqlHandler {
  const { services, log } = options;
  return createYoga<ServerContext>({
    schema: createSchema(services, resolversFor(options)),
    graphqlEndpoint: "/graphql",
    landingPage: false,
    healthCheckEndpoint: "/graphql/health",
    // The whole gateway has one setting for it.
    cors: false,
    multipart: false,
    batching: false,
    maxRequestBodySize: LIMITS.bodyBytes,
    // A parsed document is some fifty times as large as its text.
    parserAndValidationCache: {
      documentCache: createLRUCache({ max: CACHED_DOCUMENTS }),
      errorCache: createLRUCache({ max: CACHED_DOCUMENTS }),
    },
    maskedErrors: { isDev: false },
    logging: {
      debug() {},
      info() {},
      warn: (...words) => log.warn({ words }, "GraphQL"),
      error: (...errors) => log.error({ err: errors[0] }, "GraphQL failed outside of any call"),
    },
    graphiql: { title: "Gantry", defaultQuery: "", shouldPersistHeaders: false },
    // 9 MB, which only those who open the page need.
    renderGraphiQL: async (page) => (await import("@graphql-yoga/render-graphiql")).renderGraphiQL(page),
    plugins: [withinLimits, withheld(options)],
  });
}

const CACHED_DOCUMENTS = 100;

/** Refuses documents for their size before work is spent on them, and what GET is not for. */
const withinLimits: Plugin<Context> = {
  onParams({ params: { query = "" }, setResult }) {
    if (query && query.length > LIMITS.characters) {
      const found = `The document has ${query.length} characters`;
      setResult({ errors: [tooMuch(`${found}: expected at most ${LIMITS.characters}.`)] });
    }
  },
  onParse({ setParseFn, context }) {
    setParseFn((source, parseOptions) => parseLimited(source, parseOptions));
    return ({ result, replaceParseResult }) => {
      if (result instanceof Error) return;
      const tooLarge = limitsPassed(result);
      if (tooLarge) return replaceParseResult(tooLarge);
      const operation = getOperationAST(result, context.params.operationName);
      if (context.request.method === "GET" && operation?.operation === "subscription") {
        // Thrown rather than put in the result's place, where it would be remembered for the same document by POST.
        throw createGraphQLError("A subscription came by GET, which is for queries: expected POST.", {
          extensions: { code: "BAD_REQUEST", http: { status: 405, headers: { Allow: "POST" } } },
        });
      }
    };
  },
};

/**
 * Shows the schema to those that may see it: it is what reflection is elsewhere. Errors name none of it either, as
 * they would by what a name that is wrong may have meant.
 */
function withheld({ admit, codec }: GraphqlOptions): Plugin<Context> {
  return {
    async onParams({ params: { query = "" }, context, setResult }) {
      // In a comment or a text, too: asking who that is hurts nobody.
      if (!/__(schema|type)\b/.test(query ?? "")) return;
      try {
        // What was handed to yoga with the request.
        await admit((context as ServerContext).caller);
      } catch (error) {
        const failure = graphqlError(error, codec);
        if (!(failure instanceof GraphQLError)) throw failure;
        setResult({ errors: [failure] });
      }
    },
    onValidate({ validateFn, setValidationFn }) {
      setValidationFn((schema, document, rules, { maxErrors } = {}) =>
        validateFn(schema, document, rules, { maxErrors, hideSuggestions: true }),
      );
    },
  };
}

function parseLimited(source: string | Source, options: ParseOptions | undefined) {
  try {
    return parse(source, { ...options, maxTokens: LIMITS.tokens });
  } catch (error) {
    // Brackets inside of brackets, as many as there may be words, can be more than the parser's stack holds.
    throw error instanceof RangeError ? tooMuch("The document is nested too deep to be read.") : error;
  }
}

function resolversFor({ codec, clientOf }: GraphqlOptions): Resolvers<Context> {
  const failed = (error: unknown) => graphqlError(error, codec);
  const begin = (method: DescMethod, requests: readonly unknown[], { caller }: Context) => {
    return [codec, clientOf(caller), method, readRequests(codec, method, requests), caller] as const;
  };
  return {
    async one(method, requests, context) {
      try {
        return await callForOne(...begin(method, requests, context));
      } catch (error) {
        throw failed(error);
      }
    },
    many(method, requests, context) {
      let messages: ReturnType<typeof callForMany>;
      try {
        messages = callForMany(...begin(method, requests, context));
      } catch (error) {
        throw failed(error);
      }
      return {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            messages.next().catch((error: unknown) => {
              throw failed(error);
            }),
          return: async () => {
            await messages.return?.();
            return { done: true, value: undefined };
          },
        }),
      };
    },
  };
}
