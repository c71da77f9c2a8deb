/** A real Envoy in front of real workers, with what the deployed one has that shows in its metrics. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { requireProgram } from "./programs.ts";

const PROGRAM = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gantry/envoy-1.40.0");

/** Whether it can be run here. */
export const hasEnvoy = requireProgram(PROGRAM, "bash test/support/ci-tools.sh downloads it").skip === false;

export interface ObservedEnvoy extends AsyncDisposable {
  /** Where calls go in: `127.0.0.1:51234`. */
  readonly address: string;
  /** Where `/stats/prometheus` is. */
  readonly admin: string;
}

/** A service behind Envoy. */
export interface Upstream {
  readonly cluster: string;
  readonly service: string;
  readonly methods: readonly string[];
  /** `127.0.0.1:51234` */
  readonly address: string;
}

export async function startEnvoy(upstreams: readonly Upstream[]): Promise<ObservedEnvoy> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = spawn(
    PROGRAM,
    [
      ...["--config-yaml", JSON.stringify(configuration(port, adminPort, upstreams))],
      ...["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const said = text(child.stderr);
  const exited = once(child, "exit");
  const admin = `127.0.0.1:${adminPort}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`Envoy did not start:\n${await said}`);
    // There is nothing to wait on but the answer.
    const ready = await fetch(`http://${admin}/ready`).catch(() => undefined);
    if (ready?.ok) break;
    await delay(50);
  }
  return {
    address: `127.0.0.1:${port}`,
    admin,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

const TYPE = "type.googleapis.com/envoy.extensions";

function configuration(port: number, adminPort: number, upstreams: readonly Upstream[]) {
  const services = upstreams.map(({ service, methods }) => ({ name: service, method_names: methods }));
  const manager = {
    "@type": `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: "edge",
    http_filters: [
      {
        name: "envoy.filters.http.grpc_stats",
        typed_config: {
          "@type": `${TYPE}.filters.http.grpc_stats.v3.FilterConfig`,
          individual_method_stats_allowlist: { services },
          enable_upstream_stats: true,
        },
      },
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": `${TYPE}.filters.http.router.v3.Router` },
      },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: "edge",
          domains: ["*"],
          routes: upstreams.map(({ cluster, service }) => ({
            match: { prefix: `/${service}/` },
            route: { cluster, timeout: "0s", retry_policy: { retry_on: "connect-failure", num_retries: 2 } },
          })),
        },
      ],
    },
  };
  return {
    admin: { address: socketAddress(adminPort) },
    static_resources: {
      listeners: [
        {
          name: "edge",
          address: socketAddress(port),
          filter_chains: [
            { filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }] },
          ],
        },
      ],
      clusters: upstreams.map(clusterOf),
    },
  };
}

function clusterOf({ cluster, address }: Upstream) {
  const options = `${TYPE}.upstreams.http.v3.HttpProtocolOptions`;
  const endpoint = { address: socketAddress(Number(address.split(":")[1])) };
  return {
    name: cluster,
    type: "STATIC",
    connect_timeout: "1s",
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": options,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    health_checks: [
      {
        grpc_health_check: {},
        timeout: "1s",
        interval: "1s",
        unhealthy_threshold: 2,
        healthy_threshold: 1,
      },
    ],
    outlier_detection: { split_external_local_origin_errors: true },
    circuit_breakers: { thresholds: [{ max_requests: 5_000, track_remaining: true }] },
    load_assignment: { cluster_name: cluster, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}

function socketAddress(port: number) {
  return { socket_address: { address: "127.0.0.1", port_value: port } };
}
