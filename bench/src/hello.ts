/** The one call that all servers answer, `greeter.v1.Greeter/SayHello`, as it is on the wire. */
export interface Hello {
  readonly path: string;
  /** Request headers, beside those of HTTP itself. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the request; undefined: there is none. */
  readonly request: Buffer | undefined;
  /** What every server answers, to the byte. */
  readonly reply: Buffer;
}

/** How a server is called. */
export type Protocol = "grpc" | "rest";

export const HELLO: Readonly<Record<Protocol, Hello>> = {
  grpc: {
    path: "/greeter.v1.Greeter/SayHello",
    headers: { "content-type": "application/grpc", te: "trailers" },
    request: framed("world"),
    reply: framed("Hello world"),
  },
  rest: {
    path: "/api/v1/greeter/world",
    headers: {},
    request: undefined,
    reply: Buffer.from(JSON.stringify({ reply: "Hello world" })),
  },
};

/** A message whose field 1 is this text, behind gRPC's flag and length. */
function framed(text: string): Buffer {
  const field = Buffer.from(text);
  const message = Buffer.concat([Buffer.from([0x0a, field.byteLength]), field]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([frame, message]);
}
