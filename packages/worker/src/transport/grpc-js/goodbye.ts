/**
 * The first of two GOAWAYs. One names the last call that is still served, and grpc-js's own names the last
 * one that has come: calls that are on their way at that moment are refused, though their clients began
 * them in good faith. So RFC 9113, section 6.8, has a server say goodbye twice: first naming no call at
 * all, so that clients begin no more, and for good when what they had begun has come.
 *
 * Node.js has no method for the first: after `session.goaway(…)` it ignores every new call, whatever the
 * call that was named. What it hands to a socket at a time is whole frames, so that one more fits between.
 */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A round trip to anywhere in the world. */
const ROUND_TRIP_MS = 250;

const GREATEST_STREAM_ID = 2 ** 31 - 1;

/** Tells the clients to begin no more calls; resolves when those that they had begun have come. */
export async function sayGoodbye(sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) {
    // The first frame of a connection has to be another. RFC 9113, section 3.4.
    if (socket.writable && socket.bytesWritten > 0) socket.write(GOAWAY);
  }
  if (sockets.size > 0) await delay(ROUND_TRIP_MS);
}

/** A frame of its own: length 8, type 7, no flags, stream 0; the last stream, NO_ERROR. RFC 9113, section 6.8. */
const GOAWAY = Buffer.alloc(17);
GOAWAY.writeUIntBE(8, 0, 3);
GOAWAY.writeUInt8(7, 3);
GOAWAY.writeUInt32BE(GREATEST_STREAM_ID, 9);
