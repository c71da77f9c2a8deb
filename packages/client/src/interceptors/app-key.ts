import { refuseExposed } from "../credentials.ts";
import type { ClientInterceptor } from "../interceptor.ts";
import { type SecretOptions, sendable, withHeaders } from "./secrets.ts";

export interface AppKey {
  /** Which application calls. Not a secret. */
  readonly id: string;
  /** What proves it. */
  readonly key: string;
}

/**
 * Sends an application's id and key as the metadata `appid` and `appkey`, in place of any that a call brings.
 * The call fails with FAILED_PRECONDITION where the key could be read on the way.
 *
 * @throws TypeError where id or key cannot be sent
 */
export function appKey({ id, key }: AppKey, options: SecretOptions = {}): ClientInterceptor {
  const headers = {
    appid: sendable("appKey() was given an id", id),
    appkey: sendable("appKey() was given a key", key),
  };
  return (next) => async (call) => {
    if (!options.allowPlaintext) refuseExposed(call);
    return next(withHeaders(call, headers));
  };
}
