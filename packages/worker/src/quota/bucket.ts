/**
 * # The rule
 *
 * A quota is a leaky bucket as a meter (GCRA by another name). `limit` charges fit into an empty
 * bucket, each lowers what is left by one, and the bucket refills evenly and continuously: by one
 * every `window / limit`. So `limit` charges pass at once, the next one passes exactly one
 * `window / limit` after the first, and no stretch of one window ever sees more than twice `limit`.
 *
 * It is kept exact by keeping no fractions. A bucket remembers when it was last full and how many
 * charges came since; both are whole numbers (time counts in whole microseconds), and what is left is
 * worked out of them anew each time:
 *
 *     left = limit - spent + floor((now - since) * limit / window)
 *
 * Nothing that is kept is rounded, so nothing adds up however long a subject stays busy. `limit / window`
 * is a fraction in lowest terms, `gain / cost`; while `window * gain` is under 2^53 the answer is exact
 * too, and past that (an odd limit of billions, a window of years) it may be off by a microsecond.
 */

/** How a bucket refills. */
export interface Rate {
  readonly limit: number;
  /** The time in which an empty bucket refills, in microseconds; undefined: it never does. */
  readonly windowUs: number | undefined;
  /** One charge takes this much of what the bucket holds … */
  readonly cost: number;
  /** … and each microsecond gives back this much. */
  readonly gain: number;
}

/** @param windowMs counts in whole microseconds; undefined: the bucket never refills */
export function rateOf(limit: number, windowMs: number | undefined): Rate {
  if (windowMs === undefined) return { limit, windowUs: undefined, cost: 1, gain: 0 };
  const windowUs = Math.round(windowMs * 1_000);
  const divisor = greatestCommonDivisor(windowUs, limit);
  return { limit, windowUs, cost: windowUs / divisor, gain: limit / divisor };
}

export interface Bucket {
  /** When it was last full, in microseconds. */
  sinceUs: number;
  /** Charges since then. */
  spent: number;
}

/**
 * Brings a bucket up to now: one that is full again starts anew, and whole windows that have passed
 * are taken off against the charges that they refilled, so that the numbers stay small.
 *
 * @returns whether it is full: as good as one that was never there
 */
export function settle(bucket: Bucket, { limit, windowUs, cost, gain }: Rate, nowUs: number): boolean {
  if (windowUs === undefined) return bucket.spent === 0;
  const elapsedUs = nowUs - bucket.sinceUs;
  if (elapsedUs * gain >= bucket.spent * cost) {
    bucket.sinceUs = nowUs;
    bucket.spent = 0;
    return true;
  }
  if (elapsedUs >= windowUs) {
    bucket.sinceUs += windowUs;
    bucket.spent -= limit;
  }
  return false;
}

/** How many charges a settled bucket takes now. */
export function remaining({ sinceUs, spent }: Bucket, { limit, cost, gain }: Rate, nowUs: number): number {
  return limit - spent + Math.floor(((nowUs - sinceUs) * gain) / cost);
}

/** Microseconds until a settled bucket takes one more charge; undefined: it never will. */
export function untilNextUs(bucket: Bucket, rate: Rate, nowUs: number): number | undefined {
  return untilRefilledUs(bucket.spent + 1 - rate.limit, bucket, rate, nowUs);
}

/** Microseconds until a settled bucket is full; undefined: it never will be. */
export function untilFullUs(bucket: Bucket, rate: Rate, nowUs: number): number | undefined {
  return untilRefilledUs(bucket.spent, bucket, rate, nowUs);
}

/** Until so many charges have been refilled since the bucket was last full. */
function untilRefilledUs(charges: number, { sinceUs }: Bucket, { cost, gain }: Rate, nowUs: number) {
  return gain === 0 ? undefined : Math.ceil((charges * cost) / gain) - (nowUs - sinceUs);
}

/** Milliseconds, as all but buckets count them. */
export function inMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / 1_000;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
