import { readConfigFile } from "../config/config-file.ts";
import type { Logger } from "../log.ts";
import { SettingsError } from "../settings.ts";
import { watchFile } from "../watch-file.ts";
import { AuthFileError, readAuthFile } from "./auth-file.ts";
import { type Authenticator, createAuthenticator } from "./authenticator.ts";
import type { JwtVerifier } from "./jwt-verifier.ts";
import type { KeyRing } from "./key-ring.ts";

/** An authenticator that goes by a file, as it is at the moment. */
export interface WatchedAuthenticator extends Authenticator {
  /** Looks at files and keys no longer. */
  close(): void;
}

export interface WatchedAuthenticatorOptions {
  /** The path of the file that `AUTH_FILE` names. */
  readonly file: string;
  readonly log: Logger;
  /** How often to look at files, in milliseconds. Default: 1000. */
  readonly intervalMs?: number;
}

/**
 * Puts the file in force, and again whenever it changes, as a whole. One that is wrong is refused: at the
 * start by an error, later by the log, and what is in force stays.
 *
 * @throws SettingsError with every problem
 */
export async function watchAuthFile(options: WatchedAuthenticatorOptions): Promise<WatchedAuthenticator> {
  const { file, log, intervalMs } = options;
  let keyRing: KeyRing | undefined;
  let verifier: JwtVerifier | undefined;

  async function read(content: string): Promise<Authenticator> {
    const config = await readAuthFile(file, content);
    if (config.issuers.length === 0 && !keyRing) return createAuthenticator(config, undefined);
    // jose takes 10 ms to load, and is not for those who have no issuers.
    const [{ createJwtVerifier }, { KeyRing }] = await Promise.all([
      import("./jwt-verifier.ts"),
      import("./key-ring.ts"),
    ]);
    keyRing ??= new KeyRing({ log, onChange: () => verifier?.forget(), intervalMs });
    verifier = createJwtVerifier(await keyRing.retain(config.issuers));
    return createAuthenticator(config, verifier);
  }

  const content = await readConfigFile(file).catch((error: Error) => {
    throw new SettingsError([`AUTH_FILE: ${error.message}.`]);
  });
  let inForce = await read(content).catch((error) => {
    keyRing?.close();
    if (!(error instanceof AuthFileError)) throw error;
    throw new SettingsError(error.problems.map((problem) => `AUTH_FILE: ${problem}.`));
  });
  log.info({ file }, "the file of principals is in force");

  async function reload(changed: string): Promise<void> {
    try {
      inForce = await read(changed);
      log.info({ file }, "the file of principals changed and is in force");
    } catch (error) {
      const problems = error instanceof AuthFileError ? { problems: error.problems } : { err: error };
      log.error(
        { file, ...problems },
        "the file of principals changed and is refused; what is in force stays",
      );
    }
  }

  /** One change after the other, in the order in which they came. */
  let reloaded = Promise.resolve();
  const onChange = (changed: string) => {
    reloaded = reloaded.then(() => reload(changed));
  };
  const watch = watchFile(file, onChange, { log, content, ...(intervalMs !== undefined && { intervalMs }) });
  return {
    authenticate: (call) => inForce.authenticate(call),
    close() {
      watch.close();
      keyRing?.close();
    },
  };
}
