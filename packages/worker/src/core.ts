import type { DescService } from "@bufbuild/protobuf";
import { createAdminService } from "./admin/admin-service.ts";
import { AuthStats } from "./auth/auth-stats.ts";
import { watchAuthFile } from "./auth/watched-authenticator.ts";
import type { Call } from "./call.ts";
import type { Clock } from "./clock.ts";
import { createHealth, type Health } from "./health/health.ts";
import type { Implementation } from "./implement.ts";
import { prepareValidation, validate } from "./interceptors/validate.ts";
import type { Logger } from "./log.ts";
import type { WorkerStats } from "./metrics/worker-stats.ts";
import { chain, methodsOf, type Route, route } from "./pipeline.ts";
import { createPolicies, type Policies } from "./policy/policy-store.ts";
import { createQuotaStore } from "./quota/create-store.ts";
import { QuotaStats } from "./quota/quota-stats.ts";
import { createReflection } from "./reflection/reflection.ts";
import type { Settings } from "./settings.ts";
import type { WorkerState } from "./state.ts";
import type { Tracing } from "./trace/tracing.ts";
import type { TlsStats } from "./transport/tls/tls-stats.ts";
import type { TrustedProxies } from "./trusted-proxies.ts";

export interface CoreOptions {
  /** The worker's name. */
  readonly name: string;
  readonly services: readonly Implementation[];
  readonly settings: Settings;
  readonly log: Logger;
  readonly clock: Clock;
  readonly tracing: Tracing;
  /** What is counted of TLS. Undefined: plaintext. */
  readonly tls?: TlsStats | undefined;
}

/** A worker without its ports: services, in-band services, and the chain around them. */
export interface Core {
  readonly log: Logger;
  readonly calls: Set<Call>;
  readonly proxies: TrustedProxies | undefined;
  readonly tracing: Tracing;
  readonly stats: WorkerStats;
  readonly health: Health;
  readonly policies: Policies;
  /** Every path that can be called, aliases included. */
  readonly routes: ReadonlyMap<string, Route>;
  state: WorkerState;
  /** Closes the quota store, and looks at no files any more. */
  closeStores(): Promise<void>;
}

/**
 * @throws PolicyError where a policy cannot be held, SettingsError where a file that a setting names
 * cannot be used, TypeError where two services share a name.
 */
export async function createCore(options: CoreOptions): Promise<Core> {
  const { name, services, settings, log, clock, tracing } = options;
  const named = services.map(({ service, aliases }) => ({ name: service.typeName, service, aliases }));
  const health = createHealth(named);
  for (const { service, health: start } of services) {
    start?.((status) => health.report(service.typeName, status));
  }
  const admin = createAdminService(
    () => policies.explain(),
    () => quotaStore.fullest?.() ?? [],
  );
  const inBand = [health.implementation, admin, ...createReflection([...named, ...reflected(health, admin)])];
  checkNames([
    ...named,
    ...inBand.map(({ service, aliases }) => ({ name: service.typeName, service, aliases })),
  ]);

  const calls = new Set<Call>();
  const quotaStats = new QuotaStats();
  const served = [
    ...services.map((implementation) => ({
      implementation,
      methods: methodsOf(implementation, { inBand: false }),
    })),
    ...inBand.map((implementation) => ({
      implementation,
      // Who asks whether a worker lives, a kubelet for one, has no credentials.
      methods: methodsOf(implementation, { inBand: true, open: implementation === health.implementation }),
    })),
  ];
  const methods = served.flatMap((each) => each.methods);
  const counters = { shed: 0 };
  await using opened = new AsyncDisposableStack();
  const validation = await prepareValidation(
    services
      .filter(({ forwards }) => !forwards)
      .flatMap(({ service }) => service.methods.map((method) => method.input)),
  );
  const { store: quotaStore, stats: quotaStoreStats } = await createQuotaStore({
    worker: name,
    settings,
    clock,
    log,
  });
  opened.defer(() => quotaStore.close());
  const auth = settings.authFile === undefined ? undefined : await createAuth(settings.authFile, log);
  if (auth) opened.defer(() => auth.authenticator.close());
  const stages = chain({
    log,
    tracing,
    auth,
    quotaStore,
    quotaStats,
    validate: validate(validation),
    inFlight: () => calls.size,
    maxCallsInFlight: settings.maxCallsInFlight,
    onShed: () => {
      counters.shed += 1;
    },
  });
  const policies = await createPolicies({
    methods,
    file: settings.policyFile,
    quotaStore,
    stats: quotaStats,
    log,
    stages,
  });
  opened.defer(() => policies.close());

  const routes = new Map<string, Route>();
  for (const { implementation, methods } of served) {
    for (const method of methods) {
      const made = route(method, implementation, stages);
      for (const name of [implementation.service.typeName, ...implementation.aliases]) {
        routes.set(`/${name}/${method.desc.name}`, made);
      }
    }
  }

  const stores = opened.move();
  const core: Core = {
    log,
    calls,
    proxies: settings.trustedProxies,
    tracing,
    health,
    policies,
    routes,
    state: "starting",
    closeStores: () => stores.disposeAsync(),
    stats: {
      methods,
      auth: auth?.stats,
      quotas: quotaStats,
      quotaStore: quotaStoreStats,
      tls: options.tls,
      discovery: settings.discovery && { registered: false },
      get shed() {
        return counters.shed;
      },
      get state() {
        return core.state;
      },
    },
  };
  return core;
}

async function createAuth(file: string, log: Logger) {
  return { authenticator: await watchAuthFile({ file, log }), stats: new AuthStats() };
}

/** Reflection shows the in-band services too; itself it adds. */
function reflected(health: Health, admin: Implementation) {
  return [health.implementation, admin].map(({ service }) => ({ service, aliases: [] }));
}

function checkNames(
  services: readonly { name: string; service: DescService; aliases: readonly string[] }[],
): void {
  const owners = new Map<string, string>();
  for (const { name, aliases } of services) {
    for (const each of [name, ...aliases]) {
      if (!FULL_NAME.test(each)) {
        throw new TypeError(
          `"${each}", an alias of ${name}, is no name: expected words joined by ".", such as pb.Greeter.`,
        );
      }
      const owner = owners.get(each);
      if (owner !== undefined) {
        throw new TypeError(
          `"${each}" is the name of two services, ${owner} and ${name}: expected one of them.`,
        );
      }
      owners.set(each, name);
    }
  }
}

/** A name as protobuf takes it: `greeter.v1.Greeter`. */
const FULL_NAME = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/;
