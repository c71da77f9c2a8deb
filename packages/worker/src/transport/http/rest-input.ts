import type { IncomingMessage } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import { Code } from "@gantry/rpc";
import type { Method } from "../../method.ts";
import type { Input } from "../in-process/in-process-call.ts";
import { linesOf, readText } from "./body.ts";
import { HttpError, unsupportedType } from "./errors.ts";
import { readArray, readMessage, readRequest } from "./rest/request.ts";
import type { RestMatch } from "./rest/router.ts";

const LINES: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
]);
const JSON_TYPE = /^application\/([\w.-]+\+)?json$/;

/**
 * What a request calls its method with. Where the client streams, a body of lines is read as they come, and a
 * JSON list as a whole.
 *
 * @throws RpcError where it cannot be read; a stream of lines throws when it comes to the line
 */
export async function readInput(
  request: IncomingMessage,
  { binding, captures }: Extract<RestMatch, { binding: unknown }>,
  query: string,
  { clientStreaming }: Method,
): Promise<Input> {
  if (binding.body === "none") return readRequest(binding, captures, query, undefined);
  const contentType = request.headers["content-type"];
  const type = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  refuseEncoded(request);

  async function* messages(): AsyncGenerator<Message> {
    for await (const line of linesOf(request)) yield readMessage(binding, line, captures, query);
  }
  if (clientStreaming && type !== undefined && LINES.has(type)) return messages();
  if (type !== undefined && !JSON_TYPE.test(type)) {
    const expected = clientStreaming
      ? "application/x-ndjson, or application/json for a list"
      : "application/json";
    throw unsupportedType(contentType, expected);
  }
  const text = await readText(request);
  return clientStreaming
    ? readArray(binding, text, captures, query)
    : readRequest(binding, captures, query, text);
}

function refuseEncoded({ headers }: IncomingMessage): void {
  const encoding = headers["content-encoding"];
  if (encoding === undefined || encoding.toLowerCase() === "identity") return;
  throw new HttpError(
    415,
    Code.InvalidArgument,
    `The body is encoded as ${JSON.stringify(encoding)}: expected it as it is.`,
    { "accept-encoding": "identity" },
  );
}
