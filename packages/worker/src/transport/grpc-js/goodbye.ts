/**
 * The first of two GOAWAYs. One names the last call that is still served, and grpc-js's own names the last
 * one that has come: calls that are on their way at that moment are refused, though their clients began
 * them in good faith. So RFC 9113, section 6.8, has a server say goodbye twice: first naming no call at
 * all, so that clients begin no more, and for good when what they had begun has come.
 *
 * Node.js has no method for the first: after `session.goaway(…)` it ignores every new call, whatever the
 * call that was named. What it hands to a socket at a time is whole frames, so that one more fits between.
 *
 * The frame has to leave at once, or not at all. A write that is still under way when it returns ends in
 * the HTTP/2 session, which takes it for one of its own and, where it has none, aborts the process
 * (node_http2.cc: "Assertion failed: is_write_in_progress()"). So it passes the socket by, and clients that
 * are slow to read get no first goodbye. Nor do those that come over TLS, where nothing leaves at once: of
 * their calls, those on their way are refused as not begun, and gRPC's clients make them again elsewhere.
 */
import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A round trip to anywhere in the world. */
const ROUND_TRIP_MS = 250;

const GREATEST_STREAM_ID = 2 ** 31 - 1;

/** Tells the clients to begin no more calls; resolves when those that they had begun have come. */
export async function sayGoodbye(sockets: ReadonlySet<Socket>): Promise<void> {
  let said = false;
  for (const socket of sockets) {
    // The first frame of a connection has to be another. RFC 9113, section 3.4.
    if (socket.writable && socket.bytesWritten > 0 && writeAtOnce(socket, GOAWAY)) said = true;
  }
  if (said) await delay(ROUND_TRIP_MS);
}

/** Whether the connection has taken these few bytes, behind all that it was given before. */
function writeAtOnce(socket: Socket, bytes: Buffer): boolean {
  // Neither is public in Node.js: where they are not found, as in that of a TLS socket, nothing is written.
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null || "encrypted" in socket) return false;
  const descriptor: unknown = Reflect.get(handle, "fd");
  if (typeof descriptor !== "number" || descriptor < 0) return false;
  if (Reflect.get(handle, "writeQueueSize") !== 0) return false;
  try {
    const written = writeSync(descriptor, bytes);
    // A part of a frame would be the end of all calls. No system cuts so few bytes, but none promises that.
    if (written < bytes.byteLength) socket.destroy();
    return written === bytes.byteLength;
  } catch {
    // It takes no more bytes now, or none at all.
    return false;
  }
}

/** A frame of its own: length 8, type 7, no flags, stream 0; the last stream, NO_ERROR. RFC 9113, section 6.8. */
const GOAWAY = Buffer.alloc(17);
GOAWAY.writeUIntBE(8, 0, 3);
GOAWAY.writeUInt8(7, 3);
GOAWAY.writeUInt32BE(GREATEST_STREAM_ID, 9);
