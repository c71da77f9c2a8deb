import { once } from "node:events";
import { connect } from "node:net";

/**
 * A client of Socket.IO by WebSocket, made by hand, that sends what a test says and takes nothing from its
 * connection behind the handshake, so that what is sent to it piles up on the way.
 */
export async function deafSocket(port: number) {
  const connection = connect(port, "127.0.0.1").on("error", () => {});
  const headers = [
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1",
    "host: 127.0.0.1",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${Buffer.alloc(16).toString("base64")}`,
  ];
  connection.write(`${headers.join("\r\n")}\r\n\r\n`);
  const answers: Buffer[] = [];
  const answered = async (text: string) => {
    while (!Buffer.concat(answers).includes(text)) answers.push((await once(connection, "data"))[0]);
  };
  /** A packet of Engine.IO, as one frame. The mask that clients have to send is zeros. */
  const send = (packet: string) => {
    const payload = Buffer.from(packet);
    const length =
      payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255];
    connection.write(Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), payload]));
  };
  // "4" is Engine.IO's message, and "0" of Socket.IO asks for its namespace.
  await answered("pingInterval");
  send("40");
  await answered("40{");
  connection.pause();
  return {
    connection,
    /** @param ack the number of the acknowledgement that it asks for. Default: none */
    emit: (event: string, payload: unknown, ack?: number) =>
      send(`42${ack ?? ""}${JSON.stringify([event, payload])}`),
    /** Resolves when the gateway has closed it, or broken it off. */
    closed: new Promise<void>((resolve) => connection.once("close", () => resolve())),
    /** Takes what there is from now on. */
    listen: () => connection.resume(),
    [Symbol.dispose]() {
      connection.destroy();
    },
  };
}

/** A connection that begins a request and does not end it: a drain breaks it in its second second. */
export async function unfinishedRequest(port: number) {
  const connection = connect(port, "127.0.0.1").on("error", () => {});
  connection.write("GET / HTTP/1.1\r\n");
  await once(connection, "connect");
  return { broken: new Promise<void>((resolve) => connection.once("close", () => resolve())) };
}
