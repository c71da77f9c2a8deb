import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a port that takes its time. */
export interface SlowNetwork extends AsyncDisposable {
  readonly port: number;
}

/**
 * Carries every byte to the address, and back, so many milliseconds late.
 *
 * @param address of each new connection: a function may give another one as time goes by
 */
export async function slowNetwork(address: string | (() => string), oneWayMs: number): Promise<SlowNetwork> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const [host = "", port] = (typeof address === "string" ? address : address()).split(":");
    const far = connect(Number(port), host);
    carry(near, far, oneWayMs);
    carry(far, near, oneWayMs);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function carry(from: Socket, to: Socket, oneWayMs: number): void {
  from.setNoDelay();
  from.on("data", (bytes) => {
    setTimeout(() => {
      if (!to.destroyed) to.write(bytes);
    }, oneWayMs);
  });
  from.once("end", () => setTimeout(() => to.end(), oneWayMs));
  from.once("error", () => setTimeout(() => to.destroy(), oneWayMs));
}
