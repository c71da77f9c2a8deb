import type { Logger } from "../log.ts";
import type { Issuer } from "./issuer.ts";
import type { TrustedIssuer } from "./jwt-verifier.ts";
import { fileKeys, type KeySource, remoteKeys } from "./keys.ts";

export interface KeyRingOptions {
  readonly log: Logger;
  /** Told when keys of some issuer have become others. */
  readonly onChange: () => void;
  /** How often to look at files, in milliseconds. Default: 1000. */
  readonly intervalMs?: number | undefined;
}

/**
 * The keys of all issuers, by where they come from. They outlive a change of the file that names them, so
 * that what is known stays known while its URL is away.
 */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #sources = new Map<string, KeySource>();

  constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /**
   * Looks for the keys of these issuers from now on, and no longer for those of others.
   *
   * @throws AuthFileError where a file of keys cannot be used: then nothing has changed
   */
  async retain(issuers: readonly Issuer[]): Promise<TrustedIssuer[]> {
    const sources = new Map<string, KeySource>();
    const trusted: TrustedIssuer[] = [];
    try {
      for (const issuer of issuers) {
        const place = issuer.keys.kind === "url" ? issuer.keys.url.href : issuer.keys.path;
        const source = sources.get(place) ?? this.#sources.get(place) ?? (await this.#open(issuer));
        sources.set(place, source);
        trusted.push({ ...issuer, source });
      }
    } catch (error) {
      closeOthers(sources, this.#sources);
      throw error;
    }
    closeOthers(this.#sources, sources);
    this.#sources = sources;
    return trusted;
  }

  close(): void {
    for (const source of this.#sources.values()) source.close();
  }

  #open({ issuer, keys }: Issuer): KeySource | Promise<KeySource> {
    const { log, ...rest } = this.#options;
    const options = { ...rest, log: log.child({ issuer }) };
    return keys.kind === "url" ? remoteKeys(keys.url, options) : fileKeys(keys.path, options);
  }
}

function closeOthers(sources: ReadonlyMap<string, KeySource>, kept: ReadonlyMap<string, KeySource>): void {
  for (const [place, source] of sources) if (kept.get(place) !== source) source.close();
}
