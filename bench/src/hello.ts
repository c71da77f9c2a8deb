/** The one call that all servers answer: `greeter.v1.Greeter/SayHello`, as bytes on the wire. */
export const PATH = "/greeter.v1.Greeter/SayHello";

/** Request headers, beside those of HTTP/2 itself. */
export const HEADERS = { "content-type": "application/grpc", te: "trailers" };

export const REQUEST = framed("world");

/** What every server answers, to the byte. */
export const REPLY = framed("Hello world");

/** A message whose field 1 is this text, behind gRPC's flag and length. */
function framed(text: string): Buffer {
  const field = Buffer.from(text);
  const message = Buffer.concat([Buffer.from([0x0a, field.byteLength]), field]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([frame, message]);
}
