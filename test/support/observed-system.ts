/** Everything that dashboards and alerts look at, for real: workers, the gateway, their stores, Envoy where it is there. */
import { tls } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { PRINCIPALS } from "../../packages/worker/test/support/auth.ts";
import { certificateFiles, createAuthority } from "./certificates.ts";
import { startCollector } from "./collector.ts";
import { RULES_FILE } from "./dashboards.ts";
import { startEtcd } from "./etcd-server.ts";
import { hasEnvoy, startEnvoy } from "./observed-envoy.ts";
import { runPrometheus } from "./prometheus.ts";
import { serveRecordedMetrics } from "./recorded-metrics.ts";
import { startRedis } from "./redis-server.ts";
import { startWorker } from "./worker-process.ts";

const NAMESPACE = "gantry";

export type ObservedSystem = Awaited<ReturnType<typeof startObservedSystem>>;

/** @returns where to call, and the Prometheus that scrapes it all and evaluates the rules */
export async function startObservedSystem() {
  await using stack = new AsyncDisposableStack();
  const authority = await createAuthority();
  const { cert, key } = await authority.issue({ names: ["DNS:localhost"], usages: ["server"] });
  const files = stack.use(
    await certificateFiles({ "tls.crt": cert, "tls.key": key, "auth.yaml": PRINCIPALS }),
  );
  const collector = stack.use(await startCollector());
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.http, OTEL_BSP_SCHEDULE_DELAY: "200" };
  const [redis, etcd] = [stack.use(await startRedis()), stack.use(await startEtcd())];
  const start = async (service: string, settings: Readonly<Record<string, string>> = {}) =>
    stack.use(await startWorker(service, { ...traced, ...settings }));

  const [greeter, math, guarded] = await Promise.all([
    start("greeter", { QUOTA_STORE: `redis://${redis.address}` }),
    start("math"),
    // What only a worker has that is set up for it.
    start("greeter", {
      DISCOVERY: etcd.address,
      AUTH_FILE: files.path("auth.yaml"),
      TLS_CERT: files.path("tls.crt"),
      TLS_KEY: files.path("tls.key"),
    }),
  ]);
  const gateway = await start("gateway", { GREETER_TARGET: greeter.address, MATH_TARGET: math.address });
  const envoy = hasEnvoy
    ? stack.use(
        await startEnvoy([
          { cluster: "greeter", ...contractOf(Greeter), address: greeter.address },
          { cluster: "math", ...contractOf(MathService), address: math.address },
        ]),
      )
    : undefined;

  const workers = { "greeter-0": greeter, "greeter-1": guarded, "math-0": math, "gateway-0": gateway };
  const recorded = stack.use(await serveRecordedMetrics(NAMESPACE, Object.keys(workers)));
  const prometheus = stack.use(
    await runPrometheus({
      rule_files: [RULES_FILE],
      scrape_configs: [
        {
          job_name: "workers",
          static_configs: Object.entries(workers).map(([pod, { admin }]) => ({
            targets: [new URL(admin).host],
            labels: { namespace: NAMESPACE, pod, worker: pod.split("-")[0] },
          })),
        },
        {
          job_name: "envoy",
          metrics_path: "/stats/prometheus",
          static_configs: envoy
            ? [{ targets: [envoy.admin], labels: { namespace: NAMESPACE, pod: "envoy-0" } }]
            : [],
        },
        {
          job_name: "recorded",
          honor_labels: true,
          static_configs: [{ targets: [recorded.address] }],
        },
      ],
    }),
  );

  const disposables = stack.move();
  return {
    greeter: greeter.address,
    math: math.address,
    gateway: `http://${gateway.address}`,
    guarded: {
      target: guarded.address.replace("127.0.0.1", "localhost"),
      credentials: tls({ ca: authority.certificate }),
    },
    /** Undefined: there is no Envoy on this machine. */
    envoy: envoy?.address,
    prometheus,
    collector,
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  };
}

function contractOf({ typeName, methods }: typeof Greeter | typeof MathService) {
  return { service: typeName, methods: methods.map(({ name }) => name) };
}
