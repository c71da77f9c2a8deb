/** The edge as it is deployed: Envoy, and the workers behind it, each on a host of its own. */
import { type Envoy, type EnvoyOptions, needsEnvoy, startEnvoy } from "./envoy.ts";
import { createNetwork, type Host, type Network, needsNetwork } from "./network.ts";
import { type Settings, startWorker, type WorkerProcess } from "./worker-process.ts";

/** A worker, and the host that it is on. */
export interface EdgeWorker extends WorkerProcess {
  readonly host: Host;
}

export interface Edge extends AsyncDisposable {
  readonly network: Network;
  readonly envoy: Envoy;
  readonly greeters: readonly EdgeWorker[];
  readonly math: EdgeWorker;
  readonly gateways: readonly EdgeWorker[];
  /** Starts one more Envoy. */
  anotherEnvoy(options?: EnvoyOptions): Promise<Envoy>;
  /** Starts one more worker; nobody knows its address yet. */
  worker(service: "greeter" | "math" | "gateway"): Promise<EdgeWorker>;
  /** Makes these the pods of the service. */
  serve(service: string, workers: readonly { readonly host: Host }[]): Promise<void>;
}

export interface EdgeOptions extends EnvoyOptions {
  readonly greeters?: number;
  /** Default: none. */
  readonly gateways?: number;
  /** Of workers. */
  readonly settings?: Settings;
}

/** For tests that need one: `test("…", needsEdge(), async () => …)`. */
export function needsEdge(): { skip: string | false } {
  const network = needsNetwork();
  return network.skip ? network : needsEnvoy();
}

const PORTS = { greeter: "50051", math: "50052", gateway: "8080" };
/** Where the gateway looks for the others. */
const TARGETS = {
  GREETER_TARGET: "dns:///greeter.gantry.svc.cluster.local:50051",
  MATH_TARGET: "dns:///math.gantry.svc.cluster.local:50052",
};

export async function startEdge(options: EdgeOptions = {}): Promise<Edge> {
  const started = new AsyncDisposableStack();
  try {
    return await build(started, options);
  } catch (error) {
    await started.disposeAsync();
    throw error;
  }
}

async function build(started: AsyncDisposableStack, options: EdgeOptions): Promise<Edge> {
  const { greeters: greeterCount = 1, gateways: gatewayCount = 0, settings = {} } = options;
  const network = started.use(await createNetwork());
  const worker: Edge["worker"] = async (service) => {
    const host = await network.host();
    const port = { HOST: "0.0.0.0", PORT: PORTS[service] };
    const targets = service === "gateway" ? TARGETS : {};
    const all = { ...port, ...targets, ...settings };
    return { ...started.use(await startWorker(service, all, host.within)), host };
  };
  const serve: Edge["serve"] = (service, workers) =>
    network.name(
      `${service}.gantry.svc.cluster.local`,
      workers.map(({ host }) => host),
    );
  const anotherEnvoy = async (more: EnvoyOptions = options) =>
    started.use(await startEnvoy(await network.host(), more));

  const greeters: EdgeWorker[] = [];
  for (let number = 0; number < greeterCount; number += 1) greeters.push(await worker("greeter"));
  await serve("greeter", greeters);
  const math = await worker("math");
  await serve("math", [math]);
  const gateways: EdgeWorker[] = [];
  for (let number = 0; number < gatewayCount; number += 1) gateways.push(await worker("gateway"));
  if (gatewayCount > 0) await serve("gateway", gateways);
  const envoy = await anotherEnvoy();
  return {
    network,
    envoy,
    greeters,
    math,
    gateways,
    anotherEnvoy,
    worker,
    serve,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
