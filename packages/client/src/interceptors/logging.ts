import type { Message } from "@bufbuild/protobuf";
import { Code, codeName, methodName, RpcError } from "@gantry/rpc";
import type { ClientCall, ClientInterceptor } from "../interceptor.ts";
import { observed } from "../streams.ts";
import { Bodies, type BodyOptions, bodySettings } from "./bodies.ts";
import { endInTime } from "./deadline.ts";

/** What is known of a call when it is over. The names are those of a worker's own lines. */
export interface CallLogEntry {
  /** `greeter.v1.Greeter/SayHello` */
  readonly method: string;
  /** Where the client sends its calls, as it was given. */
  readonly target: string;
  /** `OK`, `UNAVAILABLE`, … CANCELLED where the caller left a stream before its end. */
  readonly code: string;
  /** From the start to the status, in milliseconds. */
  readonly duration_ms: number;
  readonly request: LoggedMessages;
  readonly response: LoggedMessages;
  /** What the call failed with, at most 1,024 characters of it. */
  readonly error?: string;
}

export interface LoggedMessages {
  /** How many passed between the caller and the rest of the chain. */
  readonly messages: number;
  /** What they came to on the wire, before compression: of all attempts, and of none where there was no network. */
  readonly bytes: number;
  /** Where asked for: the protobuf JSON of each, redacted, and cut where all of them get too long. */
  readonly bodies?: readonly string[];
}

/** A logger such as pino's. Calls that are OK are written by `info`, others by `warn`. */
export interface CallLogger {
  info(entry: CallLogEntry, message: string): void;
  warn(entry: CallLogEntry, message: string): void;
}

export interface LoggingOptions extends BodyOptions {
  /** Whether entries have the request messages. Default: no. Each is made into JSON for it, however long. */
  readonly requestBodies?: boolean;
  /** Whether entries have the response messages. Default: no. */
  readonly responseBodies?: boolean;
}

/**
 * Tells what became of each call when it is over: once, whatever its kind. Lengths are those that the transport
 * finds anyway; nothing is serialized for them. Headers are never told.
 *
 * ```ts
 * logging((entry) => console.log(entry))       logging(pino(), { requestBodies: true, redact: ["user.password"] })
 * ```
 *
 * @param log must not throw: the call would go on, and the process be warned
 */
export function logging(
  log: ((entry: CallLogEntry) => void) | CallLogger,
  options: LoggingOptions = {},
): ClientInterceptor {
  const tell = tellerOf(log);
  const bodies = bodySettings(options);
  return (next, method) => {
    const name = methodName(method);
    return async (call) => {
      const startedAt = performance.now();
      const request = new Passed(options.requestBodies ? new Bodies(method.input, bodies) : undefined);
      const response = new Passed(options.responseBodies ? new Bodies(method.output, bodies) : undefined);
      const end = (error?: unknown) => {
        tell({
          method: name,
          target: call.target,
          code: codeName(codeOf(error)),
          duration_ms: Math.round((performance.now() - startedAt) * 1e3) / 1e3,
          request: request.summary(),
          response: response.summary(),
          ...(error !== undefined && { error: textOf(error) }),
        });
      };
      try {
        // Whatever the rest of the chain still waits for: when the call's time is over, this is told.
        const answer = await endInTime(call, () => next(watched(call, request, response)));
        if (answer.messages) {
          answer.messages = observed(answer.messages, { message: (message) => response.add(message), end });
          return answer;
        }
        if (answer.message) response.add(answer.message);
        end();
        return answer;
      } catch (error) {
        end(error);
        throw error;
      }
    };
  };
}

function tellerOf(log: ((entry: CallLogEntry) => void) | CallLogger): (entry: CallLogEntry) => void {
  const write =
    typeof log === "function"
      ? log
      : (entry: CallLogEntry) => log[entry.code === "OK" ? "info" : "warn"](entry, "client call");
  return (entry) => {
    try {
      write(entry);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : `logging() could not log a call: ${error}`);
    }
  };
}

/** The messages of one direction, as they pass. */
class Passed {
  bytes = 0;
  #messages = 0;
  readonly #bodies: Bodies | undefined;

  constructor(bodies: Bodies | undefined) {
    this.#bodies = bodies;
  }

  add(message: Message): void {
    this.#messages += 1;
    this.#bodies?.add(message);
  }

  summary(): LoggedMessages {
    const sizes = { messages: this.#messages, bytes: this.bytes };
    return this.#bodies ? { ...sizes, bodies: this.#bodies.texts } : sizes;
  }
}

function watched(call: ClientCall, request: Passed, response: Passed): ClientCall {
  if (call.request) request.add(call.request);
  return {
    ...call,
    requests: call.requests && observed(call.requests, { message: (message) => request.add(message) }),
    countBytes(direction, bytes) {
      (direction === "sent" ? request : response).bytes += bytes;
      call.countBytes?.(direction, bytes);
    },
  };
}

function codeOf(error: unknown): Code {
  if (error === undefined) return Code.Ok;
  return error instanceof RpcError ? error.code : Code.Internal;
}

const MAX_ERROR_LENGTH = 1_024;

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_LENGTH);
}
