import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { CallContext } from "./call-context.ts";

/** Stands in the place of a handler that an author leaves out on purpose: callers get UNIMPLEMENTED. */
export const unimplemented: unique symbol = Symbol("unimplemented");

/** The handler of one method, by its kind. */
export type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: CallContext) => MessageInitShape<O> | Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: CallContext) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageShape<I>>,
            call: CallContext,
          ) => MessageInitShape<O> | Promise<MessageInitShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (
              requests: AsyncIterable<MessageShape<I>>,
              call: CallContext,
            ) => AsyncIterable<MessageInitShape<O>>
          : never;

/** One handler, or `unimplemented`, for every method of a service. */
export type Handlers<S extends DescService> = {
  [Name in keyof S["method"]]: Handler<S["method"][Name]> | typeof unimplemented;
};

/** What a service says of its own health. */
export type HealthStatus = "SERVING" | "NOT_SERVING";

export interface ImplementOptions {
  /** Other names under which the same methods are served; calls count under the service's own name. */
  readonly aliases?: readonly string[];
  /**
   * Called once at start with a function by which the service reports its own state; until it does,
   * it counts as SERVING. While the worker starts or drains, callers see NOT_SERVING all the same.
   */
  readonly health?: (report: (status: HealthStatus) => void) => void;
  /**
   * The handlers only hand calls on to another worker. That worker validates them and holds them to the
   * quotas of the proto, so neither is done here; quotas of this worker's own policy file hold. Default: false.
   */
  readonly forwards?: boolean;
}

/** A service with its handlers, ready for `runWorker`. */
export interface Implementation {
  readonly service: DescService;
  readonly handlers: Readonly<Record<string, AnyHandler | typeof unimplemented>>;
  readonly aliases: readonly string[];
  readonly health: ImplementOptions["health"];
  readonly forwards: boolean;
}

/**
 * Any handler, once its types have done their work: `implement` has checked it against its method,
 * and the pipeline calls it by the method's kind.
 */
// biome-ignore lint/complexity/noBannedTypes: the four kinds of handler share no narrower type
export type AnyHandler = Function;

/**
 * Joins a service's contract with its handlers.
 *
 * @throws TypeError where a handler is missing or is no function, which types prevent but JavaScript does not.
 */
export function implement<S extends DescService>(
  service: S,
  handlers: Handlers<S>,
  options: ImplementOptions = {},
): Implementation {
  // Every value of `Handlers` is a handler or `unimplemented`; the loop below holds it to that at run time.
  const byName = handlers as Readonly<Record<string, AnyHandler | typeof unimplemented>>;
  for (const { localName, name } of service.methods) {
    const handler = byName[localName];
    if (typeof handler !== "function" && handler !== unimplemented) {
      throw new TypeError(
        `${service.typeName}/${name} has no handler: expected a function called "${localName}", or \`unimplemented\`.`,
      );
    }
  }
  const { aliases = [], health, forwards = false } = options;
  return { service, handlers: byName, aliases, health, forwards };
}
