import { Code, Metadata, RpcError, retryInfo } from "@gantry/rpc";
import { createClient, type RetryOptions, retry } from "../../src/index.ts";
import { hastyTimers, kitchenWith, type Words } from "./kitchen-with.ts";
import { kitchenWorker } from "./worker.ts";

export const HARMLESS: Words = { level: "NO_SIDE_EFFECTS" };

/** A worker whose Cook fails with each of these errors in turn, and then no more, and a client that retries. */
export async function failingKitchen(words: Words, errors: readonly RpcError[], options: RetryOptions = {}) {
  const timers = hastyTimers();
  const attempts: Metadata[] = [];
  const worker = await kitchenWorker({
    cook(_, { metadata }) {
      const error = errors[attempts.length];
      attempts.push(metadata);
      if (error) throw error;
      return { name: "cooked" };
    },
  });
  const interceptors = [retry({ startTimer: timers.startTimer, random: () => 0.5, ...options })];
  const kitchen = createClient(kitchenWith({ Cook: words }), worker.target, { interceptors });
  return {
    /** The metadata of each attempt that has come. */
    attempts,
    delays: timers.delays,
    kitchen,
    async [Symbol.asyncDispose]() {
      await kitchen.close();
      await worker.stop();
    },
  };
}

/** What a server may say of when it wants another attempt. */
interface Wishes {
  readonly pushback?: string;
  readonly retryAfterMs?: number;
}

export function unavailable(message = "busy", wishes: Wishes = {}): RpcError {
  return failure(Code.Unavailable, message, wishes);
}

export function failure(code: Code, message: string, { pushback, retryAfterMs }: Wishes = {}): RpcError {
  const details = retryAfterMs === undefined ? [] : [retryInfo(retryAfterMs)];
  const metadata = new Metadata(pushback === undefined ? [] : [["grpc-retry-pushback-ms", pushback]]);
  return new RpcError(code, message, details, { metadata });
}
