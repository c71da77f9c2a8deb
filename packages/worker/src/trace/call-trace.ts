import { randomFillSync } from "node:crypto";

/**
 * The trace context of one call: its own ids, and what it continues. There is one for every call,
 * recorded or not, so that a call's log lines can be told together. Ids stay numbers until somebody
 * reads them.
 */
export class CallTrace {
  /** What the caller sent, if it sent any. */
  readonly parent: TraceParent | undefined;
  /** Whether spans of this call are recorded. */
  readonly sampled: boolean;
  /** Whether anything records traces here. */
  readonly #traced: boolean;
  readonly #a = random32();
  readonly #b = random32();
  readonly #c: number;
  readonly #d: number;
  readonly #e: number;
  readonly #f: number;
  #traceId: string | undefined;
  #spanId: string | undefined;

  constructor(parent: TraceParent | undefined, sampler: Sampler | undefined) {
    this.parent = parent;
    this.#traced = sampler !== undefined;
    this.#c = parent ? 0 : random32();
    this.#d = parent ? 0 : random32();
    this.#e = parent ? 0 : random32();
    this.#f = parent ? 0 : random32();
    this.#traceId = parent?.traceId;
    this.sampled =
      sampler !== undefined &&
      (parent && sampler.parentBased
        ? parent.sampled
        : (parent ? foldTraceId(parent.traceId) : (this.#c ^ this.#d ^ this.#e ^ this.#f) >>> 0) <
          sampler.bound);
  }

  /** 32 hexadecimal digits. */
  get traceId(): string {
    this.#traceId ??= hex32(this.#c) + hex32(this.#d) + hex32(this.#e) + hex32(this.#f);
    return this.#traceId;
  }

  /** 16 hexadecimal digits: the call's own span. */
  get spanId(): string {
    this.#spanId ??= hex32(this.#a) + hex32(this.#b);
    return this.#spanId;
  }

  /**
   * The W3C `traceparent` of what goes on from this call. A worker that records no traces at all hands
   * on what it got, so that its caller's trace does not end with it.
   */
  get traceParent(): string {
    const { traceId, spanId, sampled } = this.#traced || !this.parent ? this : this.parent;
    return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
  }
}

/** A W3C `traceparent`, with the `tracestate` that came beside it. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly traceState: string | undefined;
}

/**
 * Which calls are recorded. The rule is OpenTelemetry's TraceIdRatioBased, so that what is decided
 * here before any of its SDK is loaded is what the SDK decides.
 */
export interface Sampler {
  /** Whether a caller's own decision holds. */
  readonly parentBased: boolean;
  /** Traces whose id, folded to 32 bits, is below it are recorded. */
  readonly bound: number;
}

/** A sampler that records so many of all traces, from 0 to 1. */
export function ratioSampler(ratio: number, parentBased: boolean): Sampler {
  return { parentBased, bound: ratio >= 1 ? 2 ** 32 : Math.floor(Math.max(ratio, 0) * 0xffffffff) };
}

const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; what is none of https://www.w3.org/TR/trace-context/ counts as not sent. */
export function parseTraceParent(text: string, traceState: string | undefined): TraceParent | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACE_PARENT.exec(text) ?? [];
  if (!traceId || !spanId || !flags || version === "ff" || (version === "00" && rest)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1, traceState };
}

function foldTraceId(traceId: string): number {
  let folded = 0;
  for (let at = 0; at < 32; at += 8) folded ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return folded >>> 0;
}

const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Eight digits, by table: every line of the log has six of these words in it. */
function hex32(word: number): string {
  const a = HEX_BYTES[word >>> 24];
  const b = HEX_BYTES[(word >>> 16) & 255];
  const c = HEX_BYTES[(word >>> 8) & 255];
  const d = HEX_BYTES[word & 255];
  return `${a}${b}${c}${d}`;
}

const pool = new Uint32Array(1_024);
let taken = pool.length;

/** Random bits from the system, a page at a time. Never 0: an id of zeros is not valid. */
function random32(): number {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  return pool[taken++] || 1;
}
