/** What one socket may do. */
export const LIMITS = {
  /** Of one packet; a larger one closes the connection. */
  packetBytes: 64 * 1024,
  /** Packets in any second; a socket that sends more is disconnected. */
  eventsPerSecond: 200,
  /** Calls at the same time, chat not counted. */
  calls: 16,
  /** Requests of one call, and chat messages, that wait to be taken. */
  waiting: 64,
  /** Messages of one call that the client has not acknowledged. */
  unacknowledged: 16,
  /** Packets for a client that takes none: past it the connection is closed. */
  packetsWaiting: 256,
  /** Of a token. */
  tokenCharacters: 8 * 1024,
  /** Of the name that a client gives to a call. */
  idCharacters: 64,
} as const;

/** How long a connection may take to say that it is one of Socket.IO. */
export const CONNECT_TIMEOUT_MS = 10_000;
