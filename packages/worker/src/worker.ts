import { type AdminServer, startAdminServer } from "./admin/admin-server.ts";
import { warnOpen } from "./auth/warn-open.ts";
import { systemClock } from "./clock.ts";
import { createCore } from "./core.ts";
import { startDiscovery } from "./discovery/discovery.ts";
import { drain } from "./drain.ts";
import type { Implementation } from "./implement.ts";
import { createLog, type Logger } from "./log.ts";
import { readSettings, type SettingDefaults, SettingsError } from "./settings.ts";
import type { WorkerState } from "./state.ts";
import { createTracing } from "./trace/tracing.ts";
import { grpcModule } from "./transport/grpc-js/grpc-server.ts";
import { startServer, type WorkerServer } from "./transport/server.ts";
import type { Certificates } from "./transport/tls/certificates.ts";
import type { TlsFiles } from "./transport/tls/tls-files.ts";
import type { Web } from "./web.ts";

export interface WorkerOptions {
  /** The worker's name, in logs, metrics and traces. */
  readonly name: string;
  /** The release that runs. */
  readonly version: string;
  readonly services: readonly Implementation[];
  /** Ports where no setting names others. Default 50051 and 9464. */
  readonly defaults?: SettingDefaults;
  /** Where settings are read. Default: the process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** What is served over HTTP/1.1 beside the worker's own protocols, on the same port. Default: nothing. */
  readonly web?: Web;
  /** What is wrong with settings of the author's own, a sentence each: told together with the runtime's. Default: nothing. */
  readonly problems?: readonly string[];
}

/** A worker that serves. */
export interface Worker {
  readonly state: WorkerState;
  /** The ports that it really has, where 0 was asked for. */
  readonly port: number;
  readonly adminPort: number;
  readonly log: Logger;
  /** Drains and stops; a second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Starts a worker and resolves when it serves.
 *
 * @throws SettingsError with every setting that is wrong, PolicyError where a policy is, or an Error
 * that says which port could not be had, or which HTTP annotations cannot be served.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { name, version, services, env = process.env, web } = options;
  const settings = readSettings(env, options.defaults, options.problems);
  const { log, flush } = await createLog({ name, level: settings.logLevel });
  const loadSdk = async () => {
    const { startSdk } = await import("./trace/sdk.ts");
    return startSdk({ name, version, log, grpc: grpcModule });
  };
  const tracing = createTracing(env, loadSdk, (error) =>
    log.error({ err: error }, "tracing could not start"),
  );
  const certificates = settings.tls && (await openTls(settings.tls, log));
  const core = await createCore({
    name,
    services,
    settings,
    log,
    clock: systemClock,
    tracing,
    tls: certificates?.stats,
  }).catch((error) => {
    certificates?.close();
    throw error;
  });
  if (settings.authFile === undefined) warnOpen(core.stats.methods, log);

  let admin: AdminServer | undefined;
  let server: WorkerServer;
  try {
    admin = await listening("ADMIN_PORT", settings.host, settings.adminPort, () =>
      startAdminServer({
        host: settings.host,
        port: settings.adminPort,
        name,
        version,
        stats: core.stats,
        log,
        explain: () => core.policies.explain(),
      }),
    );
    server = await listening("PORT", settings.host, settings.port, () =>
      startServer(core, { name, version, settings, certificates, web }),
    );
  } catch (error) {
    certificates?.close();
    await admin?.close();
    await core.closeStores();
    throw error;
  }

  core.state = "serving";
  core.health.setWorkerServing(true);
  log.info(
    {
      address: `${settings.host}:${server.port}`,
      admin: `http://${settings.host}:${admin.port}`,
      ...(settings.tls && { tls: true, mutual_tls: settings.tls.clientCa !== undefined }),
    },
    "serving",
  );

  const { discovery: stats } = core.stats;
  const discovery = stats && (await startDiscovery({ name, port: server.port, settings, stats, log }));

  const stop = async () => {
    log.info({ calls_in_flight: core.calls.size }, "draining");
    await drain({
      settings,
      calls: core.calls,
      stopServing() {
        core.state = "draining";
        core.health.setWorkerServing(false);
      },
      leaveDiscovery: async (timeoutMs) => discovery?.leave(timeoutMs),
      stopAccepting: () => server.stopAccepting(),
      endWatches: () => core.health.endWatches(),
      connectionsClosed: server.closed,
      destroyConnections: () => server.destroy(),
      async closeStores() {
        certificates?.close();
        await admin.close();
        await core.closeStores();
      },
      async flush() {
        core.state = "stopped";
        await tracing.shutdown();
        log.info("stopped");
        await flush();
      },
    });
  };
  let stopped: Promise<void> | undefined;

  return {
    get state() {
      return core.state;
    },
    log,
    port: server.port,
    adminPort: admin.port,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Loaded where it is asked for. @throws SettingsError where the files cannot be used */
async function openTls(files: TlsFiles, log: Logger): Promise<Certificates> {
  const { openCertificates } = await import("./transport/tls/certificates.ts");
  return openCertificates(files, log);
}

/** Opens a port; one that cannot be had is a sentence with the setting that changes it. */
async function listening<T>(setting: string, host: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      throw new Error(`Port ${port} on ${host} is taken by another program: set ${setting} to a free one.`);
    }
    if (code === "EACCES") {
      throw new Error(
        `Port ${port} on ${host} may not be opened by this user: set ${setting} to one from 1024.`,
      );
    }
    if (code === "ENOTFOUND" || code === "EADDRNOTAVAIL" || code === "EAI_AGAIN") {
      throw new SettingsError([`HOST is ${JSON.stringify(host)}: expected an address of this machine.`]);
    }
    throw error;
  }
}
