/** The same calls by their REST paths. */
import http from "k6/http";
import { type Answer, UNKNOWN } from "./answers.ts";
import type { Outgoing } from "./connections.ts";
import type { Message } from "./methods.ts";
import { duration } from "./metrics.ts";
import type { Settings } from "./settings.ts";

/** Every status is an answer here: what it means, its code says. */
const ANY_STATUS = http.expectedStatuses({ min: 100, max: 599 });
const STREAM = "application/x-ndjson";

export async function callRest(
  { restUrl, token, timeoutMs }: Settings,
  { method, requests, tags }: Outgoing,
): Promise<Answer> {
  const { rest, kind, service, name } = method;
  if (!rest) throw new Error(`${service}/${name} has no REST path.`);
  const [first = {}] = requests;
  const streams = kind === "client_streaming" || kind === "bidi_streaming";
  const body = streams ? requests.map((each) => `${JSON.stringify(each)}\n`).join("") : JSON.stringify(first);
  const response = await http.asyncRequest(
    rest.verb,
    restUrl + rest.path(first),
    rest.verb === "GET" ? null : body,
    {
      headers: {
        "content-type": streams ? STREAM : "application/json",
        ...(token !== "" && { authorization: `Bearer ${token}` }),
      },
      responseCallback: ANY_STATUS,
      timeout: timeoutMs,
      tags,
    },
  );
  const answer = read(response.body, response.status);
  duration.add(response.timings.duration, { service, method: name, status: `${answer.code}`, ...tags });
  return { ...answer, metadata: Object.keys(response.headers).map((key) => key.toLowerCase()) };
}

/** One message, or a line for each; an error is google.rpc.Status, or `{"error": Status}` as the last line. */
function read(body: unknown, status: number): Answer {
  try {
    const lines = String(body ?? "")
      .split("\n")
      .filter((line) => line.trim() !== "");
    const messages: Message[] = lines.map((line) => JSON.parse(line));
    const last = messages.at(-1);
    const error = status === 200 ? last?.error : (last ?? {});
    if (error === undefined) return { code: 0, message: "", replies: messages, details: [] };
    // Whoever speaks for the worker writes a google.rpc.Status; of others, the defaults tell.
    const { code = UNKNOWN, message = `HTTP ${status}`, details = [] } = error as Partial<Answer>;
    return { code, message, details, replies: status === 200 ? messages.slice(0, -1) : [] };
  } catch {
    return {
      code: UNKNOWN,
      message: `HTTP ${status}: ${String(body).slice(0, 200)}`,
      replies: [],
      details: [],
    };
  }
}
