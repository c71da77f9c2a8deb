/**
 * Requests as bytes, for what no proper client sends. A message on the wire is one byte of flags,
 * four of length, then its bytes.
 */
import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";

const HEADER_BYTES = 5;

export type ReceivedHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** What came back for a request. */
export interface RawAnswer {
  readonly headers: ReceivedHeaders;
  /** Those of an answer that is trailers only are its headers. */
  readonly trailers: ReceivedHeaders;
  readonly code: number;
  readonly message: string;
  readonly messages: readonly RawMessage[];
  /** HTTP/2's code where the stream was reset; 0 where it was not. */
  readonly resetCode: number;
}

export interface RawMessage {
  readonly compressed: boolean;
  readonly bytes: Buffer;
}

export interface RawSession extends AsyncDisposable {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  /** Opens a stream with the headers of a gRPC call. */
  open(path: string, headers?: OutgoingHttpHeaders): ClientHttp2Stream;
  /** Sends these bytes as one request and reads all that comes back. */
  call(path: string, body: Buffer | undefined, headers?: OutgoingHttpHeaders): Promise<RawAnswer>;
  /** Resolves when everything that was sent until now has been read by the worker, and answered. */
  roundTrip(): Promise<void>;
}

/** @param socket what to speak on, where it is another one than to the port in plaintext */
export function rawSession(
  port: number,
  options: SecureClientSessionOptions = {},
  socket: Socket = connectSocket(port, "127.0.0.1"),
): RawSession {
  const session = connect(`http://127.0.0.1:${port}`, { ...options, createConnection: () => socket });
  // What breaks a connection on purpose shows in what comes back, or does not.
  session.on("error", () => {});
  const open = (path: string, headers: OutgoingHttpHeaders = {}) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.on("error", () => {});
    return stream;
  };
  return {
    session,
    socket,
    open,
    call(path, body, headers) {
      const stream = open(path, headers);
      const answer = answerOf(stream);
      stream.end(body);
      return answer;
    },
    async roundTrip() {
      if (session.connecting) await once(session, "connect");
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error ? reject(error) : resolve()));
      });
    },
    async [Symbol.asyncDispose]() {
      if (session.destroyed) return;
      const closed = once(session, "close");
      session.destroy();
      await closed;
    },
  };
}

/** Everything that comes back on a stream until the worker has ended it, or reset it. */
export async function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  let headers: ReceivedHeaders = {};
  let trailers: ReceivedHeaders | undefined;
  const chunks: Buffer[] = [];
  stream.on("response", (received) => {
    headers = received;
  });
  stream.on("trailers", (received) => {
    trailers = received;
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => {
    stream.once("close", resolve);
    stream.once("end", () => setImmediate(resolve));
  });
  stream.close();
  const last = trailers ?? headers;
  return {
    headers,
    trailers: last,
    code: Number(last["grpc-status"]),
    message: percentDecoded(String(last["grpc-message"] ?? "")),
    messages: messagesIn(Buffer.concat(chunks)),
    resetCode: stream.rstCode ?? 0,
  };
}

/** A message as it goes over the wire. */
export function framed(bytes: Uint8Array, { compressed = false } = {}): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(compressed ? 1 : 0, 0);
  header.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([header, bytes]);
}

/** As gRPC demands of clients: what is badly encoded is taken as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function messagesIn(body: Buffer): RawMessage[] {
  const messages: RawMessage[] = [];
  for (let at = 0; at + HEADER_BYTES <= body.length; ) {
    const end = at + HEADER_BYTES + body.readUInt32BE(at + 1);
    messages.push({ compressed: body[at] === 1, bytes: body.subarray(at + HEADER_BYTES, end) });
    at = end;
  }
  return messages;
}
