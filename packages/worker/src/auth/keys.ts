import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey, type LocalJWKSet } from "jose";
import { readConfigFile } from "../config/config-file.ts";
import type { Logger } from "../log.ts";
import { watchFile } from "../watch-file.ts";
import { AuthFileError } from "./auth-file.ts";

/** The public keys of an issuer, as they are at the moment. */
export interface KeySource {
  /** The key that signed a token. @throws KeysUnavailable where nobody can tell, else what jose throws */
  readonly find: JWTVerifyGetKey;
  close(): void;
}

/** The issuer's keys cannot be had, so that a token can be neither taken nor refused. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

export interface KeySourceOptions {
  readonly log: Logger;
  /** Told when the keys have become others. */
  readonly onChange: () => void;
  /** How often to look at a file, in milliseconds. Default: 1000. */
  readonly intervalMs?: number | undefined;
}

/**
 * Keys in a file, which is read again when it changes. One that is wrong is refused: at the start by an
 * error, later by the log, and the keys that are known stay.
 *
 * @throws AuthFileError
 */
export async function fileKeys(path: string, options: KeySourceOptions): Promise<KeySource> {
  const { log, onChange, intervalMs } = options;
  const content = await readConfigFile(path).catch((error: Error) => {
    throw new AuthFileError(error.message);
  });
  let keys = keySet(path, content);
  const reload = (changed: string) => {
    try {
      keys = keySet(path, changed);
      onChange();
      log.info({ file: path }, "the file of an issuer's keys changed and is in force");
    } catch (error) {
      const problems = error instanceof AuthFileError ? { problems: error.problems } : { err: error };
      log.error({ file: path, ...problems }, "the file of an issuer's keys changed and is refused");
    }
  };
  const watch = watchFile(path, reload, { log, content, ...(intervalMs !== undefined && { intervalMs }) });
  return { find: (header, token) => keys(header, token), close: () => watch.close() };
}

function keySet(path: string, content: string): LocalJWKSet {
  try {
    return createLocalJWKSet(JSON.parse(content));
  } catch {
    // What is wrong with it may be that it holds something else, and secret.
    throw new AuthFileError(`${path} holds no keys: expected a JSON Web Key Set, {"keys": [ … ]}`);
  }
}

/** Keys may be withdrawn: nothing older is trusted while newer ones can be had. */
const REFRESH_MS = 10 * 60_000;
/** How soon to try again for keys that could not be had. */
const RETRY_MS = 5_000;
/** Whoever names keys that are not there has them looked for no more often. */
const UNKNOWN_KEY_MS = 30_000;
const TIMEOUT_MS = 5_000;

/**
 * Keys from a URL. They are fetched now, every ten minutes, and when a token names one that is not known; those
 * that are known are used for as long as the URL is away. Both ends of that are logged, once each.
 */
export function remoteKeys(url: URL, { log, onChange }: KeySourceOptions): KeySource {
  // When it is asked again is decided here: left to itself, it forgets keys that it cannot fetch anew.
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  let known: string | undefined;
  let failing = false;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let trying: Promise<void> | undefined;

  async function fetchKeys(): Promise<void> {
    triedAtMs = Date.now();
    try {
      await remote.reload();
      const found = JSON.stringify(remote.jwks());
      if (known !== undefined && found !== known) onChange();
      known = found;
      if (failing) log.info("an issuer's keys can be fetched again");
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ reason: reasonOf(error) }, "an issuer's keys cannot be fetched");
      failing = true;
    }
  }

  function refresh(): Promise<void> {
    trying ??= fetchKeys().finally(() => {
      trying = undefined;
    });
    return trying;
  }

  /** Fetches them, unless that was tried just now. */
  async function refreshAfter(ms: number): Promise<void> {
    if (trying || Date.now() - triedAtMs >= ms) await refresh();
  }

  const timer = setInterval(refresh, REFRESH_MS).unref();
  void refresh();

  return {
    async find(header, token) {
      if (known === undefined) await refreshAfter(RETRY_MS);
      if (known === undefined) throw new KeysUnavailable();
      try {
        return await remote(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      }
      await refreshAfter(failing ? RETRY_MS : UNKNOWN_KEY_MS);
      if (failing) throw new KeysUnavailable();
      return remote(header, token);
    },
    close: () => clearInterval(timer),
  };
}

/** `fetch failed: connect ECONNREFUSED 127.0.0.1:8080`. The URL stays out of it: it may hold a secret. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  return cause instanceof Error && cause.message !== ""
    ? `${error.message}: ${cause.message}`
    : error.message;
}
