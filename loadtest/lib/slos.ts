/** The thresholds of a run: the services' objectives, from observability/slos.json. */

/** What a service promises. */
export interface Slo {
  /** The part of its calls that succeed: 0.999. */
  readonly availability: number;
  /** `ratio` of its unary calls take `ms` at most. */
  readonly latency: { readonly ms: number; readonly ratio: number };
}

export type Slos = Readonly<Record<string, Slo>>;
export type Thresholds = Readonly<Record<string, string[]>>;

const file: { readonly services: Slos } = JSON.parse(
  open(import.meta.resolve("../../observability/slos.json")),
);
export const SLOS = file.services;

/** @param tags what else a call is told apart by: `,step:19` */
export function sloThresholds(services: readonly string[], tags = ""): Thresholds {
  return Object.fromEntries(
    services.flatMap((service) => {
      const slo = SLOS[service];
      if (!slo) return [];
      const { availability, latency } = slo;
      // Binary fractions of 0.999 are not in the words of a threshold.
      const failing = Number((1 - availability).toPrecision(6));
      const percentile = Number((latency.ratio * 100).toPrecision(6));
      return [
        [`grpc_req_failed{service:${service}${tags}}`, [`rate<=${failing}`]],
        [`grpc_req_duration{service:${service},kind:unary${tags}}`, [`p(${percentile})<=${latency.ms}`]],
      ];
    }),
  );
}
