/** Answers that come from this side in the place of a server: what mocks and fallbacks have in common. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { RpcError } from "@gantry/rpc";
import { messagesOf } from "../streams.ts";

/**
 * What a method answers with: a message, or messages where it streams them. An `RpcError` in the place of any of
 * them is what the call fails with there.
 */
export type DataAnswer<M extends DescMethod> = M["methodKind"] extends OneResponse
  ? Data<MessageInitShape<M["output"]>> | RpcError
  : Data<readonly (MessageInitShape<M["output"]> | RpcError)[]> | RpcError;

/** The same from a function, which may be a generator where the method streams its responses. */
export type GivenAnswer<M extends DescMethod> = M["methodKind"] extends OneResponse
  ? MessageInitShape<M["output"]> | RpcError
  :
      | AsyncIterable<MessageInitShape<M["output"]> | RpcError>
      | Iterable<MessageInitShape<M["output"]> | RpcError>;

type OneResponse = "unary" | "client_streaming";

/** No function: one has a `name` and a `length`, and would pass for a message with such fields. */
type Data<T> = T & { readonly [Symbol.hasInstance]?: never };

/** Any answer, once its types have done their work: it was checked against its method. */
export type AnyAnswer = object;

/**
 * The answers by the names of the methods.
 *
 * @param taker names who was given them, for the error: `mock()`
 * @throws TypeError where a name is none of the service's methods, which types prevent but JavaScript does not
 */
export function answersOf<A extends object>(
  taker: string,
  service: DescService,
  answers: A,
): ReadonlyMap<string, AnyAnswer> {
  const byName = new Map<string, AnyAnswer>(
    Object.entries(answers).filter(([, answer]) => answer !== undefined),
  );
  for (const name of byName.keys()) {
    if (service.methods.some(({ localName }) => localName === name)) continue;
    throw new TypeError(
      `${taker} was given an answer called "${name}", and ${service.typeName} has no such method: expected ${service.methods.map(({ localName }) => localName).join(", ")}.`,
    );
  }
  return byName;
}

/** @throws RpcError where it is one */
export function oneMessage(output: DescMessage, answer: AnyAnswer): Message {
  if (answer instanceof RpcError) throw answer;
  // Its types have promised this.
  return create(output, answer as MessageInitShape<DescMessage>);
}

/** @throws RpcError where it is one; TypeError where it is nothing that can be iterated */
export function manyMessages(output: DescMessage, answers: AnyAnswer): AsyncIterable<Message> {
  if (answers instanceof RpcError) throw answers;
  if (!(Symbol.asyncIterator in answers || Symbol.iterator in answers)) {
    throw new TypeError(
      `An answer of many ${output.typeName} is not iterable: expected an array or a generator.`,
    );
  }
  // Its types have promised what its elements are.
  const elements = answers as AsyncIterable<AnyAnswer> | Iterable<AnyAnswer>;
  return messagesOf(elements, (answer) => oneMessage(output, answer));
}
