import { Metadata } from "@grpc/grpc-js";
import type { Message, Method } from "./plain-client.ts";

/** What a call by gRPC-Web ended with. */
export interface WebAnswer {
  readonly httpStatus: number;
  /** NaN: it was not told. */
  readonly code: number;
  readonly replies: readonly Message[];
  readonly trailers: Metadata;
}

/** The flag of a frame that holds trailers. */
const TRAILERS = 0x80;
const HEADER_BYTES = 5;

/**
 * Calls a method as a page in a browser does.
 *
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 *
 * @param origin `http://10.213.0.10:8080`
 */
export async function callByWeb(origin: string, method: Method, request: Message): Promise<WebAnswer> {
  const message = method.requestSerialize(request);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  const response = await fetch(origin + method.path, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" },
    body: Buffer.concat([header, message]),
  });
  // Without any reply, the trailers are among the headers.
  const trailers = metadataOf(response.headers);
  const replies: Message[] = [];
  const body = Buffer.from(await response.arrayBuffer());
  for (let at = 0; at < body.length; ) {
    const end = at + HEADER_BYTES + body.readUInt32BE(at + 1);
    const data = body.subarray(at + HEADER_BYTES, end);
    // Messages are objects, and this one is as its proto says.
    if (body[at] !== TRAILERS) replies.push(method.responseDeserialize(data) as Message);
    else trailers.merge(metadataOf(linesOf(data.toString("latin1"))));
    at = end;
  }
  return { httpStatus: response.status, code: Number(trailers.get("grpc-status")[0]), replies, trailers };
}

function linesOf(text: string): [string, string][] {
  const lines = text.split("\r\n").filter((line) => line !== "");
  return lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

function metadataOf(headers: Iterable<[string, string]>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of headers) {
    if (key.endsWith("-bin")) metadata.add(key, Buffer.from(value, "base64"));
    else metadata.add(key, value);
  }
  return metadata;
}
