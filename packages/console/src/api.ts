/** What the gateway tells the page over Socket.IO's namespace `/console`. Types alone: both import them from here. */

/** A worker, and what it serves. */
export interface WorkerEntry {
  readonly name: string;
  /** Where it serves gRPC: `127.0.0.1:50051`. */
  readonly target: string;
  /** The full names of its services; none where it could not be asked. */
  readonly services: readonly string[];
  /** A `google.protobuf.FileDescriptorSet`, each file behind those that it imports. */
  readonly files: Uint8Array;
  /** Why it could not be asked. */
  readonly problem?: string;
}

/** Calls per second, those that failed per second, latencies in seconds, and calls in flight. */
export type MethodPoint = readonly [
  rate: number,
  errors: number,
  p50: number,
  p95: number,
  p99: number,
  inFlight: number,
];

/** What a worker's metrics say of the last seconds. */
export interface Reading {
  /** When its process began, in seconds since the epoch: another number is another process. */
  readonly startedAt: number;
  readonly version: string;
  /** `starting`, `serving`, `draining`, `stopped`, or `away`. */
  readonly state: string;
  /** The event loop's lag since the last look, the 99th percentile, in seconds. */
  readonly lag: number;
  readonly heapBytes: number;
  /** Methods that are busy, by `package.Service/Method`. */
  readonly methods: Readonly<Record<string, MethodPoint>>;
  /** Decisions per second of each quota. */
  readonly quotas: Readonly<Record<string, readonly [allowed: number, refused: number]>>;
}

/** How one worker is at one moment. */
export interface WorkerPoint extends Reading {
  /** Whether its metrics could be had. */
  readonly up: boolean;
}

export interface LivePoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly workers: Readonly<Record<string, WorkerPoint>>;
}

/** One span of a trace. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  /** The worker that it is of. */
  readonly service: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** A trace in the list. */
export interface TraceSummary {
  readonly traceId: string;
  /** What its first span is called: `greeter.v1.Greeter/SayHello`. */
  readonly name: string;
  /** The workers that it passed, in the order in which they were first seen. */
  readonly services: readonly string[];
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: number;
  /** The gRPC code of its first span. */
  readonly code: number;
}

/** A line of a worker's log that belongs to a trace. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface WholeTrace {
  readonly spans: readonly Span[];
  readonly logs: readonly LogLine[];
}
