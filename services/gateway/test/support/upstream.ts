import { type Implementation, startWorker } from "@gantry/worker";
import { createGateway } from "../../src/gateway.ts";
import { greeter, math } from "./services.ts";

const QUIET = { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", DRAIN_TIMEOUT: "2s" };

/** What fetch needs to post JSON, but for the body. */
export const JSON_BODY = { method: "POST", headers: { "content-type": "application/json" } };

/** A worker on a port of its own. */
export async function workerWith(services: readonly Implementation[], env: NodeJS.ProcessEnv = {}) {
  const worker = await startWorker({
    name: "upstream",
    version: "1.2.3",
    services,
    env: { ...QUIET, ...env },
  });
  return {
    target: `127.0.0.1:${worker.port}`,
    stop: () => worker.stop(),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

/** The whole gateway, as `main.ts` runs it. */
export async function gatewayBefore(env: NodeJS.ProcessEnv) {
  const worker = await startWorker(createGateway({ ...QUIET, ...env }));
  return {
    worker,
    target: `127.0.0.1:${worker.port}`,
    url: `http://127.0.0.1:${worker.port}`,
    admin: `http://127.0.0.1:${worker.adminPort}`,
    stop: () => worker.stop(),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

/** A gateway, and one worker behind it that has both services, with a test's own handlers. */
export async function gatewayAndWorker(
  handlers: { greeter?: Parameters<typeof greeter>[0]; math?: Parameters<typeof math>[0] },
  env: { worker?: NodeJS.ProcessEnv; gateway?: NodeJS.ProcessEnv } = {},
) {
  const worker = await workerWith([greeter(handlers.greeter ?? {}), math(handlers.math ?? {})], env.worker);
  const targets = { GREETER_TARGET: worker.target, MATH_TARGET: worker.target };
  const gateway = await gatewayBefore({ ...targets, ...env.gateway });
  return {
    ...gateway,
    upstream: worker,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await worker.stop();
    },
  };
}
