import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import { HELLO } from "./hello.ts";

const RETRY_MS = 1;

/**
 * Calls a server that may not listen yet, again and again, until it has answered once. To those that are
 * called by gRPC it speaks plain HTTP/2, so that no client's own ways show in what is measured.
 *
 * @param gone aborts when there is nobody to wait for any more
 * @throws Error where the answer is another than what every server answers
 */
export async function firstReply(contender: Contender, port: number, gone: AbortSignal): Promise<void> {
  const socket = await connection(port, gone);
  if (contender.calledBy === "rest") {
    socket.destroy();
    await firstRestReply(port, gone);
  } else {
    await firstGrpcReply(port, socket, contender.headers, gone);
  }
}

async function firstRestReply(port: number, gone: AbortSignal): Promise<void> {
  const { path, reply } = HELLO.rest;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: gone });
  const body = await response.text();
  if (body !== reply.toString()) {
    throw new Error(`The server on port ${port} answered ${response.status} and ${body}: expected ${reply}.`);
  }
}

async function firstGrpcReply(
  port: number,
  socket: Socket,
  added: Contender["headers"],
  gone: AbortSignal,
): Promise<void> {
  const { path, headers, request, reply: expected } = HELLO.grpc;
  const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection: () => socket });
  try {
    const stream = session.request(
      { ":method": "POST", ":path": path, ...headers, ...added },
      { signal: gone },
    );
    stream.end(request);
    // A reply of an error alone has its trailers among its headers.
    let status: unknown;
    stream.on("response", (headers) => {
      status = headers["grpc-status"];
    });
    stream.on("trailers", (trailers) => {
      status = trailers["grpc-status"];
    });
    const reply = Buffer.concat(await stream.toArray());
    if (status !== "0" || !reply.equals(expected)) {
      throw new Error(
        `The server on port ${port} answered with grpc-status ${status} and the bytes ${reply.toString("hex")}: ` +
          `expected 0 and ${expected.toString("hex")}.`,
      );
    }
  } finally {
    session.destroy();
  }
}

async function connection(port: number, gone: AbortSignal): Promise<Socket> {
  for (;;) {
    gone.throwIfAborted();
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    try {
      await once(socket, "connect");
      return socket;
    } catch {
      await wait(RETRY_MS);
    }
  }
}
