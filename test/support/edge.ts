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
  /** Starts one more Envoy. */
  anotherEnvoy(options?: EnvoyOptions): Promise<Envoy>;
  /** Starts one more worker; nobody knows its address yet. */
  worker(service: "greeter" | "math"): Promise<EdgeWorker>;
  /** Makes these the pods of the service. */
  serve(service: string, workers: readonly { readonly host: Host }[]): Promise<void>;
}

export interface EdgeOptions extends EnvoyOptions {
  readonly greeters?: number;
  /** Of workers. */
  readonly settings?: Settings;
}

/** For tests that need one: `test("…", needsEdge(), async () => …)`. */
export function needsEdge(): { skip: string | false } {
  const network = needsNetwork();
  return network.skip ? network : needsEnvoy();
}

const PORTS = { greeter: "50051", math: "50052" };

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
  const { greeters: count = 1, settings = {} } = options;
  const network = started.use(await createNetwork());
  const worker = async (service: "greeter" | "math"): Promise<EdgeWorker> => {
    const host = await network.host();
    const port = { HOST: "0.0.0.0", PORT: PORTS[service] };
    return { ...started.use(await startWorker(service, { ...port, ...settings }, host.within)), host };
  };
  const serve: Edge["serve"] = (service, workers) =>
    network.name(
      `${service}.gantry.svc.cluster.local`,
      workers.map(({ host }) => host),
    );
  const anotherEnvoy = async (more: EnvoyOptions = options) =>
    started.use(await startEnvoy(await network.host(), more));

  const greeters: EdgeWorker[] = [];
  for (let number = 0; number < count; number += 1) greeters.push(await worker("greeter"));
  await serve("greeter", greeters);
  const math = await worker("math");
  await serve("math", [math]);
  const envoy = await anotherEnvoy();
  return {
    network,
    envoy,
    greeters,
    math,
    anotherEnvoy,
    worker,
    serve,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
