import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Metadata } from "@gantry/rpc";
import type { WebPeer } from "../../web.ts";
import { peerOf } from "../peer.ts";
import { namesShownOn } from "../tls/certificate-names.ts";
import { requestMetadata } from "./metadata.ts";

/** What a request of HTTP says of the call that it makes, whatever its protocol. */
export interface HttpCaller extends WebPeer {
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
  return { ...peerOn(request.socket), headers: requestMetadata(request), signal: controller.signal };
}

/** Who is at the other end of a connection. */
export function peerOn(socket: Socket): WebPeer {
  return { peer: peerOf(socket), connection: socket, certificateNames: () => namesShownOn(socket) };
}
