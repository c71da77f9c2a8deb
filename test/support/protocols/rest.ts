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

/** The paths of methods, as their contracts name them; `{field}` is one of the request's. Those with a body are POST. */
const PATHS: Readonly<Record<string, string>> = {
  "greeter.v1.Greeter/SayHello": "GET /api/v1/greeter/{name}",
  "greeter.v1.Greeter/LotsOfReplies": "GET /api/v1/greeter/{name}/replies",
  "greeter.v1.Greeter/LotsOfGreetings": "POST /api/v1/greeter/greetings",
  "greeter.v1.Greeter/BidiHello": "POST /api/v1/greeter/chat",
  "greeter.v1.Greeter/NoSuch": "GET /api/v1/greeter/{name}/no-such",
  "math.v1.Math/Sum": "POST /api/v1/math/sum",
  "math.v1.Math/Version": "GET /api/v1/math/version",
  "math.v1.Math/Divide": "POST /api/v1/math/divide",
  "math.v1.Math/Fibonacci": "GET /api/v1/math/fibonacci/{limit}",
  "math.v1.Math/Accumulate": "POST /api/v1/math/accumulate",
  "math.v1.Math/RunningSum": "POST /api/v1/math/running-sum",
};

/** @param streams how streams of replies are asked for: as lines of JSON, or as server-sent events */
export function rest(addressOf: AddressOf, streams: "lines" | "events"): Protocol {
  return {
    name: "rest",
    kinds: ALL_KINDS,
    async call({ method, requests, headers, timeoutMs }) {
      const contract = contractOf(method);
      const [verb = "", path = ""] = (PATHS[method] ?? "").split(" ");
      const [first = {}] = requests;
      const url = `http://${addressOf(method)}${path.replace(/\{(\w+)\}/, (_, field) => inPath(first[field]))}`;
      const answer = await fetch(url, {
        method: verb,
        headers: {
          ...headers,
          ...(verb === "POST" && {
            "content-type": streamsRequests(contract) ? "application/x-ndjson" : "application/json",
          }),
          ...(streams === "events" && { accept: "text/event-stream" }),
          ...(timeoutMs !== undefined && { "grpc-timeout": `${timeoutMs}m` }),
        },
        ...(verb === "POST" && { body: requests.map((request) => `${JSON.stringify(request)}\n`).join("") }),
      });
      const text = await answer.text();
      const { replies, status } =
        answer.status === 200 && streamsReplies(contract)
          ? (streams === "events" ? ofEvents : ofLines)(text)
          : ofOne(answer.status, JSON.parse(text));
      return {
        ...outcome(replies, status, Object.fromEntries(answer.headers)),
        httpStatus: answer.status,
      };
    },
    [Symbol.dispose]() {},
  };
}

interface Read {
  readonly replies: readonly JsonValue[];
  readonly status: StatusJson;
}

function ofOne(httpStatus: number, body: JsonObject & StatusJson): Read {
  return httpStatus === 200 ? { replies: [body], status: OK } : { replies: [], status: body };
}

function ofLines(text: string): Read {
  const lines = text.split("\n").slice(0, -1);
  const replies = lines.map((line) => JSON.parse(line));
  const { error } = replies.at(-1) ?? {};
  return error ? { replies: replies.slice(0, -1), status: error } : { replies, status: OK };
}

function ofEvents(text: string): Read {
  const events = eventsIn(text);
  const last = events.pop();
  if (last?.name !== "end" && last?.name !== "error")
    throw new Error(`The stream does not say how it ended:\n${text}`);
  const replies = events.map(({ data }) => JSON.parse(data));
  return { replies, status: last.name === "end" ? OK : JSON.parse(last.data).error };
}

function inPath(value: JsonValue | undefined): string {
  return encodeURIComponent(String(value));
}
