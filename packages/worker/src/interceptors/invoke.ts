import { create, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, RpcError, runAsCurrentCall } from "@gantry/rpc";
import type { Call } from "../call.ts";
import { type AnyHandler, unimplemented } from "../implement.ts";
import type { Next } from "../interceptor.ts";
import type { Method } from "../method.ts";
import { isPromise } from "./promises.ts";
import { logUnexpected } from "./recover.ts";
import { asStream } from "./streams.ts";

type Init = MessageInitShape<Method["desc"]["output"]>;

/** The end of the chain: calls the handler by its method's kind. */
export function invoke(method: Method, handler: AnyHandler | typeof unimplemented): Next {
  if (handler === unimplemented) {
    return () => {
      throw new RpcError(Code.Unimplemented, `${method.name} is not implemented here.`);
    };
  }
  const { output } = method.desc;
  const toMessage = (call: Call, reply: Init): Message => {
    // A handler may answer with a message of its own making; anything else becomes one.
    const isMessage = "$typeName" in reply && reply.$typeName === output.typeName;
    const message = isMessage ? (reply as Message) : create(output, reply);
    call.prepare(message);
    return message;
  };
  const input = method.clientStreaming
    ? (call: Call): unknown => call.requests
    : (call: Call): unknown => call.request;
  const run = (call: Call) => handler(input(call), call);

  if (method.serverStreaming) {
    return (call) => responses(call, runAsCurrentCall(call, run, call), toMessage);
  }
  return (call) => {
    const reply: Init | PromiseLike<Init> = runAsCurrentCall(call, run, call);
    if (!isPromise(reply)) return toMessage(call, reply);
    return call.race(reply, (error) => logLate(call, error)).then((init) => toMessage(call, init));
  };
}

/** What a handler streams, as messages; ends with the call, whatever the handler does about it. */
function responses(
  call: Call,
  replies: AsyncIterable<Init>,
  toMessage: (call: Call, reply: Init) => Message,
) {
  const late = (error: unknown) => logLate(call, error);
  if (isPromise(replies)) replies.then(undefined, late);
  const inner = asStream(replies as AsyncIterable<Message>)[Symbol.asyncIterator]();
  // An author's own iterator may throw where it should reject, and give back what is no promise.
  const ask = () => {
    try {
      return call.failure ? Promise.reject(call.failure) : inner.next();
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const leave = () => {
    try {
      Promise.resolve(inner.return?.()).catch(late);
    } catch (error) {
      late(error);
    }
  };
  const onNext = (result: IteratorResult<Init>) =>
    result.done ? result : { done: false as const, value: toMessage(call, result.value) };
  const onError = (error: unknown) => {
    leave();
    throw error;
  };
  const iterator: AsyncIterableIterator<Message> = {
    [Symbol.asyncIterator]: () => iterator,
    // A generator runs as part of whoever asks it for the next message.
    next: () => call.race(runAsCurrentCall(call, ask), late).then(onNext).then(undefined, onError),
    return: async () => {
      leave();
      return { done: true, value: undefined };
    },
  };
  return iterator;
}

/** What fails after the call has ended reaches nobody but the log; that it was aborted is no news. */
function logLate(call: Call, error: unknown): void {
  const aborted = error instanceof Error && error.name === "AbortError";
  if (error !== call.failure && !aborted) logUnexpected(call, error);
}
