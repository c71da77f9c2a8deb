/** What strangers may send, whatever the protocol. */

/** The most that a message may have, either way. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** The most that the headers of a request may have. */
export const MAX_METADATA_BYTES = 16 * 1024;
