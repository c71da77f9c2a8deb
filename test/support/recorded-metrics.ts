/**
 * Metrics of programs that tests cannot always run, served as a scrape target. Names and labels are written by hand,
 * from those programs' own documents; no run has told them.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What k6 tells of scenarios that take a cluster, or minutes: loadtest/README.md says what they are. */
const K6_CALLS =
  'testid="recorded",scenario="rollout",target="grpc",service="greeter.v1.Greeter",method="SayHello"';

/** Gauges by their labels. */
const GAUGES: Readonly<Record<string, string>> = {
  k6_cold_start_duration_max: 'testid="recorded",scenario="cold",target="grpc",service="greeter.v1.Greeter"',
};

/** Counters by their labels. */
const COUNTERS: Readonly<Record<string, string>> = {
  k6_dropped_iterations_total: 'testid="recorded",scenario="rollout",target="grpc"',
  k6_streams_opened_total: K6_CALLS,
  k6_streams_ended_total: K6_CALLS,
  k6_quota_refused_total: K6_CALLS,
  k6_grpc_req_moved_total: K6_CALLS,
};

/** What kube-state-metrics documents of it: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics */
const cpuLimit = (namespace: string, pod: string) =>
  `kube_pod_container_resource_limits{namespace="${namespace}",pod="${pod}",container="worker",resource="cpu",unit="core"} 1`;

export interface RecordedMetrics extends AsyncDisposable {
  /** `127.0.0.1:51234` */
  readonly address: string;
}

/** @param pods those that have a limit of one core */
export async function serveRecordedMetrics(
  namespace: string,
  pods: readonly string[],
): Promise<RecordedMetrics> {
  let scrapes = 0;
  const server = createServer((_, response) => {
    scrapes += 1;
    response
      .setHeader("content-type", "text/plain; version=0.0.4")
      .end(
        [
          ...Object.entries(GAUGES).map(([name, labels]) => `${name}{${labels}} 0.5`),
          ...Object.entries(COUNTERS).map(([name, labels]) => `${name}{${labels}} ${scrapes}`),
          ...pods.map((pod) => cpuLimit(namespace, pod)),
          "",
        ].join("\n"),
      );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // It listens on a port, not on a path.
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
