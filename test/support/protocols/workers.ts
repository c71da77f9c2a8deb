import { temporaryFile } from "../../../packages/worker/test/support/temporary-file.ts";
import { type Settings, startWorker, type WorkerProcess } from "../worker-process.ts";
import { everyWay, type Way } from "./ways.ts";

export interface Workers extends AsyncDisposable {
  /** Every way to them. */
  readonly ways: readonly Way[];
  readonly math: WorkerProcess;
  readonly gateway: WorkerProcess;
}

export interface WorkersOptions {
  /** What serves Greeter: a service of this repository, or a file. */
  readonly greeter?: string;
  /** Who may call the two workers. The gateway asks nobody: it hands on what callers show. */
  readonly authFile?: string;
  /** Policy files, by whose they are. */
  readonly policies?: { readonly greeter?: string; readonly math?: string; readonly gateway?: string };
  /** Settings of all three. */
  readonly settings?: Settings;
}

/** A worker of Greeter, a worker of Math, and the gateway before them. */
export async function startWorkers(options: WorkersOptions = {}): Promise<Workers> {
  const { greeter: greeterService = "greeter", authFile, policies = {}, settings = {} } = options;
  await using starting = new AsyncDisposableStack();
  const file = async (name: string, content = "") =>
    content && starting.use(await temporaryFile(name, content)).path;
  const start = async (service: string, policy: string | undefined, own: Settings) => {
    const POLICY_FILE = await file("policy.yaml", policy);
    return starting.use(await startWorker(service, { ...settings, ...own, POLICY_FILE }));
  };

  const AUTH_FILE = await file("auth.yaml", authFile);
  const [greeter, math] = await Promise.all([
    start(greeterService, policies.greeter, { AUTH_FILE, WORKER_LOCATION: "here" }),
    start("math", policies.math, { AUTH_FILE }),
  ]);
  const targets = { GREETER_TARGET: greeter.address, MATH_TARGET: math.address };
  const gateway = await start("gateway", policies.gateway, targets);
  const ways = everyWay({ greeter: greeter.address, math: math.address, gateway: gateway.address });
  for (const way of ways) starting.use(way);
  const started = starting.move();
  return { ways, math, gateway, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
