import { once } from "node:events";
import { connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";

export interface H2Session extends AsyncDisposable {
  /** Sends a request without a body, and answers with the headers of what comes back. */
  headersOf(headers: OutgoingHttpHeaders): Promise<IncomingHttpHeaders>;
}

/** A connection by HTTP/2 alone, for many requests in little time. */
export function h2Session(address: string): H2Session {
  const session = connect(`http://${address}`);
  return {
    async headersOf(headers: OutgoingHttpHeaders): Promise<IncomingHttpHeaders> {
      const stream = session.request(headers, { endStream: true });
      const [received] = await once(stream, "response");
      stream.resume();
      return received;
    },
    async [Symbol.asyncDispose]() {
      session.destroy();
      if (!session.closed) await once(session, "close");
    },
  };
}
