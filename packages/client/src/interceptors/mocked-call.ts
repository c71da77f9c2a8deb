import type { DescMethod, Message } from "@bufbuild/protobuf";
import { Metadata, RpcError } from "@gantry/rpc";
import type { ClientCall, ClientNext } from "../interceptor.ts";
import { brokenOff, stoppedReading } from "../local-errors.ts";
import { type AnyAnswer, manyMessages, oneMessage } from "./answers.ts";
import { endInTime } from "./deadline.ts";

/** What a function that answers knows of its call, and fills in: a part of what a worker's handler has. */
export interface MockCall {
  readonly method: DescMethod;
  /** The request's headers. */
  readonly metadata: Metadata;
  /** When the call has to be over, in milliseconds since the epoch; undefined: never. */
  readonly deadline: number | undefined;
  /** Aborts when the deadline passes, or the caller cancels or stops reading. */
  readonly signal: AbortSignal;
  /** Response headers to fill in; they come with the first message. */
  readonly headers: Metadata;
  /** Response trailers to fill in; they come with the status. */
  readonly trailers: Metadata;
}

/** Takes its time, if it is asynchronous: `call.signal` tells when nobody waits any more. */
export type MockFunction<Request, A> = (request: Request, call: MockCall) => A | Promise<A>;

/** The end of the chain for a method whose answers are on this side. */
export function mockedMethod(method: DescMethod, answer: AnyAnswer): ClientNext {
  const { output, methodKind } = method;
  if (methodKind === "unary" || methodKind === "client_streaming") {
    return async (call) => {
      const { mockCall, answered, inTime, end } = begin(call, answer);
      const message = await inTime(async () => oneMessage(output, await answered()));
      end();
      return { headers: mockCall.headers, message, messages: undefined, trailers: mockCall.trailers };
    };
  }
  return async (call) => {
    const { mockCall, answered, inTime, end } = begin(call, answer);
    const messages = await inTime(async () => manyMessages(output, await answered()));
    const inner = messages[Symbol.asyncIterator]();
    const read = async () => {
      const result = await inTime(() => inner.next(), leave);
      if (result.done) end();
      return result;
    };
    const leave = () => void inner.return?.().catch(() => {});
    // As over the network: headers come with the first message, and an error before it comes without them.
    let first: IteratorResult<Message> | undefined = await read();
    const rest: AsyncIterator<Message> = {
      async next() {
        const result = first ?? (await read());
        first = undefined;
        return result;
      },
      async return() {
        end(stoppedReading());
        leave();
        return { done: true, value: undefined };
      },
    };
    return {
      headers: mockCall.headers,
      message: undefined,
      messages: { [Symbol.asyncIterator]: () => rest },
      trailers: mockCall.trailers,
    };
  };
}

function begin(call: ClientCall, answer: AnyAnswer) {
  const controller = new AbortController();
  const source = call.requests?.[Symbol.asyncIterator]();
  const requests = source && requestsOf(source);
  const mockCall: MockCall = {
    method: call.method,
    metadata: call.headers,
    deadline: call.deadline,
    signal: controller.signal,
    headers: new Metadata(),
    trailers: new Metadata(),
  };

  /** @param reason why it ended before its time */
  const end = (reason?: unknown) => {
    if (reason !== undefined) controller.abort(reason);
    // Whoever still makes requests need not any more.
    source?.return?.().catch(() => {});
  };

  const answered = async (): Promise<AnyAnswer> => {
    // The types of the answers hold functions to this.
    if (typeof answer === "function") return (answer as AnyMockFunction)(call.request ?? requests, mockCall);
    // An answer to all of the requests comes after them.
    const awaited = call.method.methodKind === "client_streaming" && !(answer instanceof RpcError);
    if (awaited && requests) for await (const _ of requests);
    return answer;
  };

  const inTime = async <T>(work: () => Promise<T>, leave?: () => void): Promise<T> => {
    const fail = (error: unknown) => Promise.reject(asSent(error, mockCall.trailers));
    try {
      return await endInTime(call, () => work().catch(fail));
    } catch (error) {
      end(error);
      leave?.();
      throw error;
    }
  };

  return { mockCall, answered, inTime, end };
}

type AnyMockFunction = MockFunction<Message | AsyncIterable<Message> | undefined, AnyAnswer>;

function requestsOf(source: AsyncIterator<Message>): AsyncIterable<Message> {
  const requests: AsyncIterator<Message> = {
    next: () => source.next().catch((error) => Promise.reject(brokenOff(error))),
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
  };
  return { [Symbol.asyncIterator]: () => requests };
}

/** The error as if it came over the network, with the call's trailers; one error may be given to many calls. */
function asSent(error: unknown, trailers: Metadata): unknown {
  if (!(error instanceof RpcError)) return error;
  return new RpcError(error.code, error.message, error.toStatus().details, {
    metadata: new Metadata([...error.metadata, ...trailers]),
    cause: error.cause,
  });
}
