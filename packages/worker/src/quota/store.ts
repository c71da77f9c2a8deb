import type { QuotaRule } from "../policy/policy.ts";

/** One quota to be charged for one subject. */
export interface Charge {
  readonly rule: QuotaRule;
  readonly subject: string;
}

/** What a store says of a set of charges: all were taken, or none. */
export type Decision = Allowed | Refused;

export interface Allowed {
  readonly allowed: true;
  /** The state of each charge's bucket after it was taken, in the order of the charges. */
  readonly states: readonly BucketState[];
}

export interface Refused {
  readonly allowed: false;
  /** The charges that did not fit. */
  readonly refusals: readonly Refusal[];
}

export interface BucketState {
  /** How many more fit now. */
  readonly remaining: number;
  /** Milliseconds until the bucket is full again; undefined: never. */
  readonly resetMs: number | undefined;
}

export interface Refusal {
  readonly charge: Charge;
  /** Milliseconds after which it would fit; undefined: no wait will help. */
  readonly retryAfterMs: number | undefined;
}

/** How far one subject has used up one quota. */
export interface CountedSubject {
  /** The id of the quota. */
  readonly quota: string;
  /** As it is kept: of a long one, its digest. */
  readonly subject: string;
  readonly limit: number;
  /** How many more fit now. */
  readonly remaining: number;
}

/**
 * Where quotas are counted. `take` charges all or none, and is the only thing that a call does with
 * a store, so that a shared store needs one round trip. No two charges of a call are of one rule.
 * A store in memory answers at once.
 */
export interface QuotaStore {
  take(charges: readonly Charge[]): Decision | Promise<Decision>;
  /**
   * The rules in force changed: forget what belongs to none of them, keep the counts of the rest.
   *
   * @param together the same rules, by what may be charged together
   */
  retain(rules: readonly QuotaRule[], together: readonly (readonly QuotaRule[])[]): void;
  /** Who has used up most, the fullest first. Undefined: the store cannot tell. */
  fullest?(): CountedSubject[];
  close(): Promise<void>;
}
