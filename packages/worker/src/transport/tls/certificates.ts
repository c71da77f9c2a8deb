/**
 * The certificates of a worker, from files that change while it runs. What does not hold together is refused
 * and logged, and what was in force stays: the files of a pair rarely change in the same moment.
 */
import type { Logger } from "../../log.ts";
import { SettingsError } from "../../settings.ts";
import { watchFile } from "../../watch-file.ts";
import { checkIdentity, type Identity, type IdentityTexts, readIdentityTexts } from "./identity.ts";
import type { TlsFiles } from "./tls-files.ts";
import { FAILURE_REASONS, type FailureReason, type TlsStats } from "./tls-stats.ts";

export interface Certificates {
  /** What is in force. */
  readonly current: Identity;
  /** Called with what comes into force from now on. */
  onChange(listener: (identity: Identity) => void): void;
  readonly stats: TlsStats & { readonly failures: Record<FailureReason, number> };
  /** Stops watching the files. */
  close(): void;
}

/** How soon files are read again that could not be used for a reason that may pass without a change of theirs. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Reads the files and watches them. A certificate that has expired is served all the same when a worker
 * starts, with an error in the log: refused, it would stop the worker over and over, and the next one would
 * not find anybody to take it up. It never takes the place of another.
 *
 * @throws SettingsError with everything that is wrong with the files
 */
export async function openCertificates(
  files: TlsFiles,
  log: Logger,
  { intervalMs = 1_000 }: { intervalMs?: number } = {},
): Promise<Certificates> {
  let seen = await readIdentityTexts(files);
  let current = checkIdentity(seen, files);
  const now = Date.now();
  if (current.validTo <= now || current.validFrom > now) {
    log.error(
      { file: files.cert, ...summary(current) },
      "the TLS certificate is not valid now: clients refuse it",
    );
  }
  const failures = countsByReason();
  const listeners: ((identity: Identity) => void)[] = [];
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let looking = Promise.resolve();

  const lookAgain = () => {
    looking = looking.then(look);
  };
  const retryIn = (ms: number) => {
    retry = setTimeout(lookAgain, Math.min(ms, LONGEST_RETRY_MS)).unref();
  };
  const refuse = (problems: readonly string[]) =>
    log.error({ problems, ...summary(current) }, "changed TLS files are refused; what was in force stays");

  async function look(): Promise<void> {
    clearTimeout(retry);
    if (closed) return;
    let texts: IdentityTexts;
    try {
      texts = await readIdentityTexts(files);
    } catch {
      // Whoever watches the file has logged it.
      retryIn(RETRY_MS);
      return;
    }
    const isNew = !same(texts, seen);
    seen = texts;
    if (closed || same(texts, current)) return;
    try {
      const next = checkIdentity(texts, files);
      const now = Date.now();
      if (next.validTo <= now) throw new SettingsError([notValid(files, "has expired", next.validTo)]);
      if (next.validFrom > now) {
        retryIn(next.validFrom - now);
        throw new SettingsError([notValid(files, "is not valid yet", next.validFrom)]);
      }
      current = next;
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      if (isNew) refuse(error.problems);
      return;
    }
    log.info(summary(current), "TLS certificates changed");
    for (const listener of listeners) listener(current);
  }

  const watched = [
    [files.cert, seen.cert],
    [files.key, seen.key],
    [files.clientCa, seen.clientCa],
  ] as const;
  const watchers = watched.flatMap(([path, content]) =>
    path === undefined || content === undefined
      ? []
      : [watchFile(path, lookAgain, { log, content, intervalMs })],
  );

  return {
    get current() {
      return current;
    },
    onChange: (listener) => listeners.push(listener),
    stats: {
      get expiry() {
        return { server: current.validTo, client_ca: current.clientCaValidTo };
      },
      failures,
    },
    close() {
      closed = true;
      clearTimeout(retry);
      for (const watcher of watchers) watcher.close();
    },
  };
}

function same(one: IdentityTexts, other: IdentityTexts): boolean {
  return one.cert === other.cert && one.key === other.key && one.clientCa === other.clientCa;
}

/** What logs say of an identity: nothing of its key. */
function summary({ certificate, validFrom, validTo }: Identity): object {
  return {
    subject: certificate.subject,
    names: certificate.subjectAltName,
    serial: certificate.serialNumber,
    valid_from: new Date(validFrom).toISOString(),
    valid_to: new Date(validTo).toISOString(),
  };
}

function notValid({ cert }: TlsFiles, how: string, since: number): string {
  return `TLS_CERT ${cert} ${how} (${new Date(since).toISOString()}): expected a certificate that is valid now.`;
}

function countsByReason(): Record<FailureReason, number> {
  // Every reason has its count.
  return Object.fromEntries(FAILURE_REASONS.map((reason) => [reason, 0])) as Record<FailureReason, number>;
}
