/** What interceptors that send secrets have in common. */
import { Metadata } from "@gantry/rpc";
import type { ClientCall } from "../interceptor.ts";

export interface SecretOptions {
  /** Whether the secret may also go in plaintext to another host, where it can be read on the way. Default: no. */
  readonly allowPlaintext?: boolean;
}

/** Visible ASCII, with blanks inside at most: what a header carries unchanged. */
const SENDABLE = /^[!-~]([ -~]*[!-~])?$/;

/**
 * The text, where a header carries it as it is.
 *
 * @param found begins the sentence of the error, which never tells the text itself
 * @throws TypeError
 */
export function sendable(found: string, text: unknown): string {
  if (typeof text === "string" && SENDABLE.test(text)) return text;
  const fault =
    typeof text !== "string" ? `is ${typeof text}` : text === "" ? "is empty" : "no header carries";
  throw new TypeError(`${found} that ${fault}: expected printable ASCII without blanks at its ends.`);
}

/** The call with these headers. The interceptors before this one keep the call that they had, without them. */
export function withHeaders(call: ClientCall, headers: Readonly<Record<string, string>>): ClientCall {
  const all = new Metadata(call.headers);
  for (const [key, value] of Object.entries(headers)) all.set(key, value);
  return { ...call, headers: all };
}
