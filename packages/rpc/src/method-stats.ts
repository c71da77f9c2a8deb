import { CODE_LABELS } from "./code.ts";

/** Upper bounds of the latency histogram, in seconds: prom-client's and grpc-ecosystem's defaults. */
export const LATENCY_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A call that stands for others in its latency bucket: who scrapes OpenMetrics can open its trace. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly seconds: number;
  /** Unix seconds. */
  readonly timestamp: number;
}

/**
 * The counts of one method. A call only adds to numbers here; the names and labels that Prometheus
 * wants are put to them when it scrapes.
 */
export class MethodStats {
  started = 0;
  inFlight = 0;
  received = 0;
  sent = 0;
  /** Calls that ended, at the index of their status code; the codes that are none of gRPC's count as UNKNOWN. */
  readonly handled: number[] = CODE_LABELS.map(() => 0);
  /** Calls per latency bucket, not cumulative; the last one holds what is above every bound. */
  readonly buckets: number[] = [...LATENCY_BUCKETS.map(() => 0), 0];
  readonly exemplars: (Exemplar | undefined)[] = this.buckets.map(() => undefined);
  secondsSum = 0;

  /** Counts a call that ended. Gives back the index of its latency bucket. */
  end(code: number, seconds: number): number {
    this.inFlight -= 1;
    const index = code in this.handled ? code : 2;
    this.handled[index] = (this.handled[index] ?? 0) + 1;
    this.secondsSum += seconds;
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS.length && seconds > (LATENCY_BUCKETS[bucket] ?? 0)) bucket += 1;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    return bucket;
  }
}
