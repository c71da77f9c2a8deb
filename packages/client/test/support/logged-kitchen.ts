import { type CallLogEntry, createClient, type LoggingOptions, logging } from "../../src/index.ts";
import { Kitchen, kitchenWorker } from "./worker.ts";

type Handlers = Parameters<typeof kitchenWorker>[0];

/** A kitchen, its client, and what that has logged. */
export async function loggedKitchen(
  handlers: Handlers = {},
  options: LoggingOptions = {},
  service = Kitchen,
) {
  const entries: CallLogEntry[] = [];
  const worker = await kitchenWorker(handlers);
  const log = logging((entry) => entries.push(entry), options);
  const kitchen = createClient(service, worker.target, { interceptors: [log] });
  return {
    kitchen,
    entries,
    target: worker.target,
    async [Symbol.asyncDispose]() {
      await kitchen.close();
      await worker.stop();
    },
  };
}
