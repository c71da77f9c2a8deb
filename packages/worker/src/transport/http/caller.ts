import type { IncomingMessage, ServerResponse } from "node:http";
import type { Metadata } from "@gantry/rpc";
import { peerOf } from "../peer.ts";
import { namesShownOn } from "../tls/certificate-names.ts";
import { requestMetadata } from "./metadata.ts";

/** What a request of HTTP says of the call that it makes, whatever its protocol. */
export interface HttpCaller {
  readonly peer: string;
  readonly connection: object;
  readonly certificateNames: () => readonly string[];
  readonly headers: Metadata;
  /** Aborts when the client has gone before it had its answer. */
  readonly signal: AbortSignal;
}

export function callerOf(request: IncomingMessage, response: ServerResponse): HttpCaller {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  if (response.destroyed) controller.abort();
  const { socket } = request;
  return {
    peer: peerOf(socket),
    connection: socket,
    certificateNames: () => namesShownOn(socket),
    headers: requestMetadata(request),
    signal: controller.signal,
  };
}
