import type { Implementation } from "@gantry/worker";
import { gatewayFor } from "./gateway.ts";

export interface GraphqlAnswer {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { message: string; path?: string[]; extensions?: Record<string, unknown> }[];
}

/** GraphQL for services, and a client. */
export async function graphqlFor(...implementations: readonly Implementation[]) {
  const gateway = await gatewayFor(implementations);
  const url = `${gateway.url}/graphql`;
  const post = (body: string, init: RequestInit = {}) =>
    fetch(url, { method: "POST", body, headers: { "content-type": "application/json" }, ...init });
  return {
    url,
    post,
    async ask(query: string, variables: object = {}, headers: Record<string, string> = {}) {
      const answer = await post(JSON.stringify({ query, variables }), {
        headers: { "content-type": "application/json", accept: "application/json", ...headers },
      });
      // GraphQL answers so by its specification.
      return (await answer.json()) as GraphqlAnswer;
    },
    /** The messages of a subscription, until `signal` aborts. */
    subscribe: (query: string, signal?: AbortSignal) =>
      events(
        post(JSON.stringify({ query }), {
          headers: { "content-type": "application/json", accept: "text/event-stream" },
          ...(signal && { signal }),
        }),
      ),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** The results in a stream of server-sent events, one by one. */
async function* events(answering: Promise<Response>): AsyncGenerator<GraphqlAnswer, void, undefined> {
  const { body } = await answering;
  if (!body) return;
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const [, data] = /^event: next\ndata: (.*)$/m.exec(block) ?? [];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}
