/**
 * A server that sends messages and then an error has sent the messages all the same. grpc-js drops those
 * that its reader has not got to when the error comes, so that a slow reader gets fewer than a fast one:
 * https://github.com/grpc/grpc-node/issues/2764. It does not when the status is OK. So the status of an
 * error is set aside where the trailers come in, and taken up again when the reader has had everything.
 *
 * Node.js publishes every HTTP/2 stream that a client opens on the channel `http2.client.stream.created`,
 * before anyone handles it; ours are known by their `user-agent`.
 */
import { subscribe } from "node:diagnostics_channel";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import type { StatusObject } from "@grpc/grpc-js";

/** The first word of the `user-agent` of this package's calls. */
export const USER_AGENT = "gantry-client";

/** Where the code of an error is set aside. */
const SET_ASIDE = "gantry-late-status";

const paths = new Set<string>();

/** From now on, whoever reads the responses of this method gets all that came before an error. */
export function keepMessagesBeforeErrors(path: string): void {
  if (paths.size === 0) subscribe("http2.client.stream.created", onStreamCreated);
  paths.add(path);
}

/** The code that the server sent. */
export function sentCode({ code, metadata }: StatusObject): number {
  const [setAside] = metadata.get(SET_ASIDE);
  metadata.remove(SET_ASIDE);
  return setAside === undefined ? code : Number(setAside);
}

function onStreamCreated(message: unknown): void {
  // The shape is Node.js's own: https://nodejs.org/api/diagnostics_channel.html#http2
  const { stream, headers } = message as { stream: ClientHttp2Stream; headers: IncomingHttpHeaders };
  if (!paths.has(headers[":path"] ?? "") || !headers["user-agent"]?.startsWith(USER_AGENT)) return;
  stream.on("trailers", setAside);
}

/** Comes before grpc-js's own listener, which is added when the stream is handed to it. */
function setAside(trailers: IncomingHttpHeaders): void {
  const status = trailers["grpc-status"];
  if (status === undefined || status === "0") return;
  trailers[SET_ASIDE] = status;
  trailers["grpc-status"] = "0";
}
