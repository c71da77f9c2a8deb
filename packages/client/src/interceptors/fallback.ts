import type { DescMethod, DescService, MessageShape } from "@bufbuild/protobuf";
import { Code, codeName, RpcError } from "@gantry/rpc";
import type { ClientCall, ClientInterceptor, ClientNext } from "../interceptor.ts";
import { type AnyAnswer, answersOf, type DataAnswer, type GivenAnswer } from "./answers.ts";
import { endInTime } from "./deadline.ts";
import { mockedMethod } from "./mocked-call.ts";

/** What stands in for the answers of a service's methods. A method that has none fails as it did. */
export type StandIns<S extends DescService> = {
  readonly [Name in keyof S["method"]]?: StandIn<S["method"][Name]>;
};

/**
 * An answer, or a function that gives one; where it gives undefined, the call fails as it did. An `RpcError` is
 * what the call fails with instead.
 */
export type StandIn<M extends DescMethod> = DataAnswer<M> | StandInFunction<CallOf<M>, GivenAnswer<M>>;

type StandInFunction<Call, A> = (call: Call, error: RpcError) => A | undefined | Promise<A | undefined>;

type CallOf<M extends DescMethod> = M["methodKind"] extends "unary" | "server_streaming"
  ? Omit<ClientCall, "request"> & { readonly request: MessageShape<M["input"]> }
  : ClientCall;

export interface FallbackOptions {
  /** The statuses that are stood in for. Default: UNAVAILABLE and DEADLINE_EXCEEDED. */
  readonly codes?: readonly Code[];
  /**
   * A stand-in needs time as well: where DEADLINE_EXCEEDED is among the codes, a call of which nothing has come
   * is given up so long before its deadline, in milliseconds, or a tenth of its time if that is less. Default 50.
   */
  readonly reserveMs?: number;
  /** Called for each call that gets a stand-in: for counts. */
  readonly onFallback?: (event: FallbackEvent) => void;
}

export interface FallbackEvent {
  readonly method: DescMethod;
  /** What the call would have failed with. */
  readonly error: RpcError;
}

/** The response header that tells a stand-in from an answer; its value is the status, such as `UNAVAILABLE`. */
const MARK = "gantry-fallback";

/**
 * Answers in the server's place where a call fails with one of the chosen statuses before anything of its answer
 * has come, response headers included. The response header `gantry-fallback` has the name of the status.
 * It belongs before `retry`, which then has tried all that it may.
 *
 * ```ts
 * fallback(Greeter, { sayHello: ({ request }) => ({ reply: `Hello ${request.name}` }) })
 * ```
 *
 * @throws TypeError where the service has no method of such a name
 */
export function fallback<S extends DescService>(
  service: S,
  standIns: StandIns<S>,
  options: FallbackOptions = {},
): ClientInterceptor {
  const { codes = [Code.Unavailable, Code.DeadlineExceeded], reserveMs = 50, onFallback } = options;
  const answers = answersOf("fallback()", service, standIns);
  return (next, method) => {
    const standIn = method.parent.typeName === service.typeName ? answers.get(method.localName) : undefined;
    if (standIn === undefined) return next;
    const attempt = codes.includes(Code.DeadlineExceeded) ? leavingTime(next, reserveMs) : next;
    return async (call) => {
      try {
        return await attempt(call);
      } catch (error) {
        if (!(error instanceof RpcError) || !codes.includes(error.code) || call.signal?.aborted) throw error;
        // The types of the stand-ins hold functions to this.
        const given = typeof standIn === "function" ? await (standIn as AnyStandIn)(call, error) : standIn;
        if (given === undefined) throw error;
        // What it streams is held to the call's time and signal, as a mock's is. The requests were the server's.
        const response = await mockedMethod(method, () => given)({ ...call, requests: undefined });
        response.headers.set(MARK, codeName(error.code));
        onFallback?.({ method, error });
        return response;
      }
    };
  };
}

type AnyStandIn = StandInFunction<ClientCall, AnyAnswer>;

/** Gives a call up a little before its deadline, unless its answer has begun; what has begun keeps its time. */
function leavingTime(next: ClientNext, reserveMs: number): ClientNext {
  return async (call) => {
    if (call.deadline === undefined) return next(call);
    const reserved = Math.min(reserveMs, (call.deadline - Date.now()) / 10);
    const leave = new AbortController();
    const signal = call.signal ? AbortSignal.any([call.signal, leave.signal]) : leave.signal;
    const soon = { deadline: call.deadline - reserved, signal: call.signal };
    try {
      return await endInTime(soon, () => next({ ...call, signal }));
    } catch (error) {
      leave.abort(error);
      throw error;
    }
  };
}
