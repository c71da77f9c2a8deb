import { connect } from "@gantry/client";
import type { Implementation } from "@gantry/worker";
import { startWorker } from "@gantry/worker";
import type { ManagerOptions, Socket, SocketOptions } from "socket.io-client";
import { createWeb } from "../../src/web/web.ts";
import { connectSocket } from "./sockets.ts";

/** The gateway's pages and protocols for services of a test's own, on ports of their own. */
export async function gatewayFor(
  services: readonly Implementation[],
  { maxSockets = 100, env = {} }: { maxSockets?: number; env?: NodeJS.ProcessEnv } = {},
) {
  const worker = await startWorker({
    name: "gateway",
    version: "1.2.3",
    services,
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", DRAIN_TIMEOUT: "2s", ...env },
    web: createWeb({
      version: "1.2.3",
      services: services.map(({ service }) => service),
      settings: { maxSockets, console: undefined, connectTo: connect },
    }),
  });
  const url = `http://127.0.0.1:${worker.port}`;
  const clients = new DisposableStack();
  return {
    worker,
    url,
    stop: () => worker.stop(),
    /** A Socket.IO client of its own connection. */
    socket(options: Partial<ManagerOptions & SocketOptions> = {}): Socket {
      return clients.use(connectSocket(url, options)).socket;
    },
    async [Symbol.asyncDispose]() {
      clients.dispose();
      await worker.stop();
    },
  };
}
