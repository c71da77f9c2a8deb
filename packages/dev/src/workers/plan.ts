import { createServer, type Server } from "node:net";
import { addressOf } from "./address.ts";
import type { LocalWorker } from "./list.ts";

/** How one worker will be started. */
export interface Plan {
  readonly worker: LocalWorker;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number;
  /** The environment of its process. */
  readonly env: NodeJS.ProcessEnv;
}

/** A start that cannot go well, with the exit code that says so. */
export class PlanError extends Error {
  override readonly name = "PlanError";
  readonly exitCode: number;

  constructor(exitCode: number, problems: readonly string[]) {
    super(problems.join("\n"));
    this.exitCode = exitCode;
  }
}

const PORT_TAKEN = 1;
/** As a worker answers settings that are wrong: EX_CONFIG of sysexits.h. */
const BAD_SETTINGS = 78;

/**
 * Gives each worker its settings and ports. A variable that starts with a worker's name is for that worker
 * alone: `GREETER_LOG_LEVEL=debug` is greeter's `LOG_LEVEL`. All others are for every worker, but for `PORT`
 * and `ADMIN_PORT`, which two processes cannot share. Port 0 takes any free one. A worker that calls others finds
 * them by settings such as `GREETER_TARGET`, unless they are set already.
 *
 * The ports are tried here, before any worker starts, so that every taken one is named at once and by the
 * setting that changes it.
 *
 * @throws PlanError that lists every setting that is wrong, or else every port that cannot be had.
 */
export async function planWorkers(workers: readonly LocalWorker[], env: NodeJS.ProcessEnv): Promise<Plan[]> {
  const wrong: string[] = [];
  const asked = workers.map((worker) => {
    const prefix = `${worker.name.toUpperCase()}_`;
    return {
      worker,
      settings: { ...env, ...ownSettings(prefix, env) },
      port: readPort(`${prefix}PORT`, worker.port, env, wrong),
      adminPort: readPort(`${prefix}ADMIN_PORT`, worker.adminPort, env, wrong),
    };
  });
  if (wrong.length > 0) throw new PlanError(BAD_SETTINGS, wrong);

  const taken: string[] = [];
  const held: Server[] = [];
  const plans: Plan[] = [];
  for (const { worker, settings, ...ports } of asked) {
    const host = settings.HOST || "127.0.0.1";
    const port = await hold(ports.port, host, held, taken);
    const adminPort = await hold(ports.adminPort, host, held, taken);
    const env = { ...settings, PORT: String(port), ADMIN_PORT: String(adminPort) };
    plans.push({ worker, host, port, adminPort, env });
  }
  await Promise.all(held.map(close));
  if (taken.length > 0) throw new PlanError(PORT_TAKEN, taken);
  return plans.map((plan) => ({ ...plan, env: { ...targetsFor(plan.worker, plans), ...plan.env } }));
}

function targetsFor({ calls = [] }: LocalWorker, plans: readonly Plan[]): NodeJS.ProcessEnv {
  const called = plans.filter(({ worker }) => calls.includes(worker.name));
  return Object.fromEntries(
    called.map(({ worker, host, port }) => [`${worker.name.toUpperCase()}_TARGET`, addressOf(host, port)]),
  );
}

function ownSettings(prefix: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** A port, and the setting that chooses it. */
interface WantedPort {
  readonly setting: string;
  readonly port: number;
}

function readPort(setting: string, byDefault: number, env: NodeJS.ProcessEnv, wrong: string[]): WantedPort {
  const text = env[setting];
  if (!text) return { setting, port: byDefault };
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    wrong.push(
      `${setting} is ${JSON.stringify(text)}: expected a port from 1 to 65535, or 0 for any free one.`,
    );
  }
  return { setting, port };
}

/** What is wrong with a port itself. All else, such as a wrong HOST, the worker tells better. */
const COMPLAINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: "is taken",
  EACCES: "may not be opened by this user",
};

/** Opens a port for a moment and returns its number; one that cannot be had is added to the complaints. */
async function hold(
  { setting, port }: WantedPort,
  host: string,
  held: Server[],
  complaints: string[],
): Promise<number> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen({ port, host, exclusive: true }, () => resolve(undefined));
  const problem = await promise;
  if (problem !== undefined) {
    const complaint = COMPLAINTS[problem];
    const advice = `choose another one with ${setting}, as in: ${setting}=0 npm start`;
    if (complaint) complaints.push(`Port ${port} on ${host} ${complaint}: ${advice}`);
    return port;
  }
  held.push(server);
  const address = server.address();
  return typeof address === "object" && address ? address.port : port;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
