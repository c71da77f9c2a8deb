/** Workers on ports of their own for clients to call, and what goes wrong between the two. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { promisify } from "node:util";
import { startWorker } from "@gantry/worker";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { type KitchenHandlers, kitchen } from "../../../worker/test/support/kitchen.ts";

export { DishSchema, Kitchen } from "../../../worker/test/support/kitchen.ts";

/** A worker with a kitchen, which gives back what it gets but for the handlers that a test brings. */
export async function kitchenWorker(handlers: Partial<KitchenHandlers> = {}, env: NodeJS.ProcessEnv = {}) {
  const worker = await startWorker({
    name: "kitchen",
    version: "1.2.3",
    services: [kitchen(handlers)],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", DRAIN_TIMEOUT: "1s", ...env },
  });
  const { port, adminPort } = worker;
  const metrics = async () => (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return {
    port,
    target: `127.0.0.1:${port}`,
    metrics,
    stop: () => worker.stop(),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
}

/** A server that does with each connection what a test says, and a list of those that are open. */
export async function tcpServer(onConnection: (socket: Socket) => void, port = 0) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
    onConnection(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const address = server.address() as AddressInfo;
  return {
    server,
    sockets,
    port: address.port,
    target: `127.0.0.1:${address.port}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A wire to a port that counts what goes over it, and can be cut without either end being told. */
export async function wireTo(port: number) {
  let cut = false;
  let sentBytes = 0;
  const wire = await tcpServer((near) => {
    const far = connect(port, "127.0.0.1");
    near.on("data", (bytes) => {
      sentBytes += bytes.byteLength;
      if (!cut) far.write(bytes);
    });
    far.on("data", (bytes) => cut || near.write(bytes));
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy()).on("error", () => {});
  });
  return {
    ...wire,
    /** What clients have sent. */
    sentBytes: () => sentBytes,
    cut() {
      cut = true;
    },
  };
}

/** A server of grpc-js itself that answers Cook with these bytes, whatever they are. */
export async function rawServer(reply: Buffer, credentials = ServerCredentials.createInsecure()) {
  const server = new GrpcServer();
  const same = (bytes: Buffer) => bytes;
  const cook = (_: unknown, callback: (error: null, reply: Buffer) => void) => callback(null, reply);
  server.register("/kitchen.v1.Kitchen/Cook", cook, same, same, "unary");
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", credentials);
  return { port, target: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => server.forceShutdown() };
}
