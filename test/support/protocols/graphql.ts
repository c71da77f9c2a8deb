import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { eventsIn } from "./events.ts";
import {
  type AddressOf,
  ALL_KINDS,
  contractOf,
  OK,
  outcome,
  type Protocol,
  type StatusJson,
  streamsReplies,
  streamsRequests,
} from "./protocol.ts";

/** What is no query and no subscription. */
const MUTATIONS = new Set(["greeter.v1.Greeter/LotsOfGreetings", "math.v1.Math/Accumulate"]);

export function graphql(addressOf: AddressOf): Protocol {
  return {
    name: "graphql",
    kinds: ALL_KINDS,
    async call({ method, requests, headers, timeoutMs }) {
      const contract = contractOf(method);
      const field = `${contract.parent.name.toLowerCase()}${contract.name}`;
      const subscribes = streamsReplies(contract);
      const root = subscribes ? "subscription" : MUTATIONS.has(method) ? "mutation" : "query";
      const [first = {}] = requests;
      const given = streamsRequests(contract) ? { requests: [...requests] } : first;
      const selection = contract.output.fields.map(({ jsonName }) => jsonName).join(" ");
      const args = Object.keys(given).length > 0 ? `(${literal(given).slice(1, -1)})` : "";
      const answer = await fetch(`http://${addressOf(method)}/graphql`, {
        method: "POST",
        headers: {
          ...headers,
          "content-type": "application/json",
          accept: subscribes ? "text/event-stream" : "application/json",
          ...(timeoutMs !== undefined && { "grpc-timeout": `${timeoutMs}m` }),
        },
        body: JSON.stringify({ query: `${root} { ${field}${args} { ${selection} } }` }),
      });
      const text = await answer.text();
      const results: Result[] = subscribes
        ? eventsIn(text).flatMap(({ name, data }) => (name === "next" ? JSON.parse(data) : []))
        : [JSON.parse(text)];
      const replies = results.flatMap(({ data }) => data?.[field] ?? []);
      const [error] = results.flatMap(({ errors = [] }) => errors);
      return { ...outcome(replies, error ? statusOf(error) : OK), httpStatus: answer.status };
    },
    [Symbol.dispose]() {},
  };
}

interface Result {
  readonly data?: JsonObject | null;
  readonly errors?: readonly GraphqlError[];
}

interface GraphqlError {
  readonly message: string;
  readonly extensions: { readonly grpcStatus?: number; readonly details?: readonly JsonValue[] };
}

/** An error that is no call's has no status of gRPC's: here it is UNKNOWN. */
function statusOf({ message, extensions: { grpcStatus = 2, details = [] } }: GraphqlError): StatusJson {
  return { code: grpcStatus, message, details };
}

/** JSON as it stands in a document of GraphQL: names are not quoted. */
function literal(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(",")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${name}:${literal(field)}`);
  return `{${fields.join(",")}}`;
}
