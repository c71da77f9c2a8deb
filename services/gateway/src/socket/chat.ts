import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import type { CallOptions } from "@gantry/rpc";
import type { ClientOf } from "../json/json-call.ts";
import { Inbox } from "./inbox.ts";
import { LIMITS } from "./limits.ts";

export interface ChatOptions {
  readonly clientOf: ClientOf;
  /** Asked when a stream is opened. */
  readonly options: () => CallOptions;
  /** Resolves when the socket takes more. */
  readonly reply: (text: string) => Promise<void>;
  /** A stream failed; the next message opens another one. */
  readonly failed: (error: unknown) => void;
}

/** A socket's chat: one stream of BidiHello, opened by its first message. */
export class Chat {
  readonly #options: ChatOptions;
  #inbox: Inbox<{ name: string }> | undefined;
  #stream: Promise<void> | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  /** Resolves when the stream has taken it. @throws RpcError where too many messages wait */
  async say(name: string): Promise<void> {
    this.#inbox ??= this.#open();
    await this.#inbox.put({ name });
  }

  /** Says that there is no more, and waits for the last answers. */
  async end(): Promise<void> {
    this.#inbox?.end();
    await this.#stream;
  }

  #open(): Inbox<{ name: string }> {
    const inbox = new Inbox<{ name: string }>(LIMITS.waiting);
    this.#stream = this.#answer(inbox).finally(() => {
      if (this.#inbox === inbox) this.#inbox = undefined;
    });
    return inbox;
  }

  async #answer(inbox: Inbox<{ name: string }>): Promise<void> {
    const { clientOf, options, reply, failed } = this.#options;
    try {
      const replies = clientOf(Greeter).bidiHello(inbox.requests, options());
      for await (const message of replies) await reply(message.reply);
    } catch (error) {
      failed(error);
    } finally {
      inbox.leave();
    }
  }
}
