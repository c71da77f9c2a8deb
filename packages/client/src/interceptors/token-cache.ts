import { Code, detached, formatDurationMs, RpcError } from "@gantry/rpc";
import { sendable } from "./secrets.ts";

/**
 * Gives a token. What it does belongs to none of the calls that wait for it: their deadlines and their
 * cancellation do not reach it.
 *
 * @param signal aborts when it has taken too long
 */
export type TokenFunction = (signal: AbortSignal) => string | ExpiringToken | Promise<string | ExpiringToken>;

export interface ExpiringToken {
  readonly token: string;
  /** From then on another one is asked for. A number is in milliseconds since the epoch. Default: never. */
  readonly expiresAt?: Date | number | undefined;
}

/** A token that calls are made with; each one that a function gives is an object of its own. */
export interface HeldToken {
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** The token that was given last, until it is refused or has expired. */
export class TokenCache {
  readonly #ask: TokenFunction;
  readonly #timeoutMs: number;
  #held: HeldToken | undefined;
  #asking: Promise<HeldToken> | undefined;

  constructor(ask: TokenFunction, timeoutMs: number) {
    this.#ask = ask;
    this.#timeoutMs = timeoutMs;
  }

  /** Calls that need a token at the same time get the same one. @throws RpcError UNAUTHENTICATED where none is given */
  get(): HeldToken | Promise<HeldToken> {
    if (this.#held && Date.now() < this.#held.expiresAtMs) return this.#held;
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The token was refused. Does nothing where another one has come since. */
  drop(refused: HeldToken): void {
    if (this.#held === refused) this.#held = undefined;
  }

  async #refresh(): Promise<HeldToken> {
    const controller = new AbortController();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      const error = new Error(`It was not there within ${formatDurationMs(this.#timeoutMs)}.`);
      late.reject(error);
      controller.abort(error);
    }, this.#timeoutMs);
    try {
      const asked = detached(() => this.#ask(controller.signal));
      this.#held = heldToken(await Promise.race([asked, late.promise]));
      return this.#held;
    } catch (error) {
      throw new RpcError(Code.Unauthenticated, "The call's token could not be had.", [], { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

function heldToken(given: unknown): HeldToken {
  // Types hold the function to one of these two; JavaScript does not.
  const { token, expiresAt = Number.POSITIVE_INFINITY } = (
    typeof given === "string" ? { token: given } : (given ?? {})
  ) as Partial<ExpiringToken>;
  const expiresAtMs = Number(expiresAt);
  if (Number.isNaN(expiresAtMs)) {
    throw new TypeError(
      "The function of token() gave an `expiresAt` that is no time: expected a Date or milliseconds.",
    );
  }
  return { text: sendable("The function of token() gave a token", token), expiresAtMs };
}
