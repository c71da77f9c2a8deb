import { randomUUID } from "node:crypto";
import type { JsonValue } from "@bufbuild/protobuf";
import { io } from "socket.io-client";
import {
  type AddressOf,
  ALL_KINDS,
  contractOf,
  OK,
  outcome,
  type Protocol,
  type StatusJson,
  streamsRequests,
} from "./protocol.ts";

/** How a call ends, in an acknowledgement or in an event. */
interface End {
  /** It does not end yet. */
  readonly streaming?: true;
  readonly message?: JsonValue;
  readonly error?: StatusJson;
  readonly headers?: Readonly<Record<string, string>>;
  readonly trailers?: Readonly<Record<string, string>>;
}

/** What belongs to a call that streams its replies carries the call's id. */
interface OfStream {
  readonly id: string;
}

/** Socket.IO's event `call`. */
export function socketIo(addressOf: AddressOf): Protocol {
  const socket = io(`http://${addressOf("")}`, { transports: ["websocket"], forceNew: true });
  const streams = new Map<string, { readonly messages: JsonValue[]; readonly onEnd: (end: End) => void }>();
  socket.on("call:message", ({ id, message }: OfStream & { message: JsonValue }, acknowledge: () => void) => {
    streams.get(id)?.messages.push(message);
    acknowledge();
  });
  const onEnd = (end: OfStream & End) => streams.get(end.id)?.onEnd(end);
  socket.on("call:end", onEnd).on("call:error", onEnd);
  return {
    name: "socket_io",
    kinds: ALL_KINDS,
    async call({ method, requests, headers, timeoutMs }) {
      const id = randomUUID();
      const messages: JsonValue[] = [];
      const streamed = Promise.withResolvers<End>();
      streams.set(id, { messages, onEnd: streamed.resolve });
      const given = streamsRequests(contractOf(method)) ? { requests } : { request: requests[0] };
      const answer: End = await socket.emitWithAck("call", { id, method, ...given, headers, timeoutMs });
      const end = answer.streaming ? await streamed.promise : answer;
      streams.delete(id);
      if (end.message !== undefined) messages.push(end.message);
      return outcome(messages, end.error ?? OK, { ...end.headers, ...end.trailers });
    },
    [Symbol.dispose]: () => void socket.disconnect(),
  };
}
