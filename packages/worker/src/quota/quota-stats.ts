export type QuotaDecision = "allowed" | "refused";

/** How often each quota let calls or messages pass, and how often it did not. */
export class QuotaStats {
  readonly #counts = new Map<string, Record<QuotaDecision, number>>();

  /** Makes a quota known, so that it is seen at zero before it first decides. */
  know(id: string): Record<QuotaDecision, number> {
    const known = this.#counts.get(id);
    if (known) return known;
    const counts = { allowed: 0, refused: 0 };
    this.#counts.set(id, counts);
    return counts;
  }

  count(id: string, decision: QuotaDecision): void {
    this.know(id)[decision] += 1;
  }

  entries(): IterableIterator<[id: string, counts: Readonly<Record<QuotaDecision, number>>]> {
    return this.#counts.entries();
  }
}
