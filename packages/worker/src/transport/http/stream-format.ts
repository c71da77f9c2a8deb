/** How a stream of messages is written as the body of one answer. */
export interface StreamFormat {
  readonly contentType: string;
  /** @param json of one message */
  message(json: string): string;
  /** @param status the JSON of a google.rpc.Status; what comes behind is nothing */
  error(status: string): string;
  /** Behind the last message of a stream that ended well. */
  readonly end: string;
}

const LINES: StreamFormat = {
  contentType: "application/x-ndjson",
  message: (json) => `${json}\n`,
  error: (status) => `{"error":${status}}\n`,
  end: "",
};

/** A browser's EventSource asks again when a stream has ended, so it is told that there is no more to come. */
const EVENTS: StreamFormat = {
  contentType: "text/event-stream",
  message: (json) => `data: ${json}\n\n`,
  error: (status) => `event: error\ndata: {"error":${status}}\n\n`,
  end: "event: end\ndata: {}\n\n",
};

/** Server-sent events for who asks for them; lines of JSON for everybody else. */
export function streamFormat(accept: string | undefined): StreamFormat {
  return qualityOf(accept, EVENTS.contentType) > qualityOf(accept, LINES.contentType) ? EVENTS : LINES;
}

/** What a header `Accept` gives for a type that it names, from 0 to 1; 0 where it does not name it. */
function qualityOf(accept = "", type: string): number {
  for (const range of accept.toLowerCase().split(",")) {
    const [name, ...parameters] = range.split(";").map((part) => part.trim());
    if (name !== type) continue;
    const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
    return quality === undefined ? 1 : Number(quality) || 0;
  }
  return 0;
}
