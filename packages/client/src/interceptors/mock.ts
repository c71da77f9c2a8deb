import type { DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import { Code, methodName, RpcError } from "@gantry/rpc";
import type { ClientInterceptor } from "../interceptor.ts";
import { answersOf, type DataAnswer, type GivenAnswer } from "./answers.ts";
import { type MockFunction, mockedMethod } from "./mocked-call.ts";

/** The answers of a service's methods, by their names. */
export type MockAnswers<S extends DescService> = {
  readonly [Name in keyof S["method"]]?: MockAnswer<S["method"][Name]>;
};

/** An answer, an error, or a function that gives the one or throws the other. */
export type MockAnswer<M extends DescMethod> = DataAnswer<M> | MockFunction<Requests<M>, GivenAnswer<M>>;

type Requests<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming"
  ? MessageShape<M["input"]>
  : AsyncIterable<MessageShape<M["input"]>>;

export interface MockOptions {
  /** Whether methods without an answer fail with UNIMPLEMENTED. Default: they are called over the network. */
  readonly strict?: boolean;
  /** Whether the mock answers. Default: what the environment variable `CLIENT_MOCK` says when a client is made. */
  readonly enabled?: boolean;
}

/**
 * Answers the calls of a service without any network, where it is enabled: by the option, or else by
 * `CLIENT_MOCK`, which is empty, `all`, or names of services such as `greeter.v1.Greeter,math.v1.Math`.
 * Interceptors after it see nothing of these calls; deadlines and cancellation hold as ever.
 *
 * ```ts
 * mock(Greeter, { sayHello: { reply: "Hello" }, lotsOfReplies: [{ reply: "Hello" }, { reply: "Hallo" }] })
 * ```
 *
 * @throws TypeError where the service has no method of such a name, and, when a client is made, where
 *   `CLIENT_MOCK` is something else
 */
export function mock<S extends DescService>(
  service: S,
  answers: MockAnswers<S>,
  options: MockOptions = {},
): ClientInterceptor {
  const byName = answersOf("mock()", service, answers);
  return (next, method) => {
    if (method.parent.typeName !== service.typeName) return next;
    if (!(options.enabled ?? isNamed(service.typeName, process.env.CLIENT_MOCK))) return next;
    const answer = byName.get(method.localName);
    if (answer !== undefined) return mockedMethod(method, answer);
    return options.strict ? () => Promise.reject(missing(method)) : next;
  };
}

/** A name with a package, so that `true` and the like are not taken for services. */
const QUALIFIED_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/;

function isNamed(service: string, setting = ""): boolean {
  if (setting.trim() === "") return false;
  const names = setting.split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "all") return true;
  if (!names.every((name) => name === service || QUALIFIED_NAME.test(name))) {
    throw new TypeError(
      `CLIENT_MOCK is ${JSON.stringify(setting)}: expected nothing, "all", or names of services such as "greeter.v1.Greeter,math.v1.Math".`,
    );
  }
  return names.includes(service);
}

function missing(method: DescMethod): RpcError {
  return new RpcError(
    Code.Unimplemented,
    `${methodName(method)} has no mock, and mocks of ${method.parent.typeName} are strict: expected an answer called "${method.localName}".`,
  );
}
