import type { Bucket, Rate } from "./bucket.ts";

/** The bucket of one subject. */
export interface Entry extends Bucket {
  readonly ledger: Ledger;
  readonly key: string;
  /** Whether the ledger keeps it; an entry that was never charged is not worth a place. */
  kept: boolean;
  /** When it was last asked for: a number that only grows. */
  touched: number;
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** The buckets of one quota, in the order in which they were last asked for. */
export class Ledger {
  /** The id of the quota. */
  readonly quota: string;
  readonly rate: Rate;
  readonly #entries = new Map<string, Entry>();
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  constructor(quota: string, rate: Rate) {
    this.quota = quota;
    this.rate = rate;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The subject that has been idle for longest. */
  get oldest(): Entry | undefined {
    return this.#oldest;
  }

  /** The subject that was asked for last. */
  get newest(): Entry | undefined {
    return this.#newest;
  }

  /** The entry of a subject, the newest from now on; for one that is not known, a full one that is not kept yet. */
  find(key: string, nowUs: number, touched: number): Entry {
    const entry = this.#entries.get(key);
    if (!entry) {
      return {
        ledger: this,
        key,
        sinceUs: nowUs,
        spent: 0,
        kept: false,
        touched,
        older: undefined,
        newer: undefined,
      };
    }
    entry.touched = touched;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#link(entry);
    }
    return entry;
  }

  keep(entry: Entry): void {
    entry.kept = true;
    this.#entries.set(entry.key, entry);
    this.#link(entry);
  }

  drop(entry: Entry): void {
    entry.kept = false;
    this.#entries.delete(entry.key);
    this.#unlink(entry);
  }

  #link(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
