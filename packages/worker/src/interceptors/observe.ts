import { Code } from "@gantry/rpc";
import type { Call } from "../call.ts";
import type { Interceptor, Response } from "../interceptor.ts";
import { isPromise } from "./promises.ts";
import { onStreamEnd } from "./streams.ts";
import { isForCaller, thrown } from "./thrown.ts";

/** How a call ended. */
export interface Outcome {
  readonly code: number;
  /** What it failed with; undefined: it is OK. */
  readonly error: unknown;
  readonly seconds: number;
}

/** Is told when a call starts and, exactly once, when it has ended, whatever its kind. */
export interface Reporter {
  start?(call: Call): void;
  end(call: Call, outcome: Outcome): void;
}

/** Measures each call once and tells all reporters. */
export function observe(...reporters: readonly Reporter[]): Interceptor {
  const starts = reporters.filter((reporter) => reporter.start !== undefined);
  const start = (call: Call) => {
    for (const reporter of starts) reporter.start?.(call);
  };
  const end = (call: Call, error?: unknown) => {
    const outcome = { code: codeOf(error), error, seconds: call.elapsedMs() / 1_000 };
    for (const reporter of reporters) reporter.end(call, outcome);
  };
  return (next, method) => {
    if (method.serverStreaming) {
      return async (call) => {
        start(call);
        try {
          return onStreamEnd(await next(call), (error) => end(call, error ?? call.failure));
        } catch (error) {
          end(call, thrown(error));
          throw error;
        }
      };
    }
    const ended = (call: Call, response: Response) => {
      end(call);
      return response;
    };
    const failed = (call: Call, error: unknown): never => {
      end(call, thrown(error));
      throw error;
    };
    return (call) => {
      start(call);
      let response: ReturnType<typeof next>;
      try {
        response = next(call);
      } catch (error) {
        return failed(call, error);
      }
      if (!isPromise(response)) return ended(call, response);
      return response.then(
        (message) => ended(call, message),
        (error) => failed(call, error),
      );
    };
  };
}

function codeOf(error: unknown): number {
  if (error === undefined) return Code.Ok;
  return isForCaller(error) ? error.code : Code.Internal;
}
