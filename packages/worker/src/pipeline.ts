import type { AuthStats } from "./auth/auth-stats.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import type { Implementation } from "./implement.ts";
import type { Interceptor, Next } from "./interceptor.ts";
import { authenticate } from "./interceptors/authenticate.ts";
import { deadline } from "./interceptors/deadline.ts";
import { invoke } from "./interceptors/invoke.ts";
import { observe } from "./interceptors/observe.ts";
import { quota } from "./interceptors/quota.ts";
import { recover } from "./interceptors/recover.ts";
import { log, metrics } from "./interceptors/reporters.ts";
import { shed } from "./interceptors/shed.ts";
import type { Logger } from "./log.ts";
import { Method } from "./method.ts";
import { ANYBODY } from "./policy/access.ts";
import { protoPolicy, withoutQuotas } from "./policy/policy.ts";
import type { QuotaStats } from "./quota/quota-stats.ts";
import type { QuotaStore } from "./quota/store.ts";
import type { Tracing } from "./trace/tracing.ts";

/** What the interceptors of a worker stand on. */
export interface PipelineParts {
  readonly log: Logger;
  readonly tracing: Tracing;
  /** Undefined: anybody may call. */
  readonly auth: { readonly authenticator: Authenticator; readonly stats: AuthStats } | undefined;
  readonly quotaStore: QuotaStore;
  readonly quotaStats: QuotaStats;
  readonly validate: Interceptor;
  readonly inFlight: () => number;
  readonly maxCallsInFlight: number;
  readonly onShed: () => void;
}

/** A named place in the chain. */
export interface Stage {
  readonly name: string;
  readonly interceptor: Interceptor;
  /** Whether health, reflection and admin pass it too. */
  readonly inBand: boolean;
  /** Whether calls that are only handed on to another worker do not pass it. */
  readonly skippedByForwards?: boolean;
}

/** The chain that every call passes, outermost first, whatever way it came in. */
export function chain(parts: PipelineParts): readonly Stage[] {
  const { tracing, auth, quotaStore, quotaStats, inFlight, maxCallsInFlight, onShed } = parts;
  return [
    { name: "recover", interceptor: recover, inBand: true },
    {
      name: "observe (trace, log, metrics)",
      interceptor: observe(tracing.reporter, log(parts.log), metrics),
      inBand: true,
    },
    { name: "deadline", interceptor: deadline, inBand: true },
    ...(auth
      ? [
          {
            name: "authenticate",
            interceptor: authenticate(auth.authenticator, auth.stats, parts.log),
            inBand: true,
          },
        ]
      : []),
    { name: "shed", interceptor: shed(inFlight, maxCallsInFlight, onShed), inBand: false },
    { name: "quota", interceptor: quota(quotaStore, quotaStats), inBand: false },
    { name: "validate", interceptor: parts.validate, inBand: false, skippedByForwards: true },
  ];
}

/** A method ready to be called. */
export interface Route {
  readonly method: Method;
  readonly run: Next;
}

/**
 * A service's methods, before any of them can be called: policies are checked here.
 *
 * @param options.open anybody may call them, whatever their policy says
 */
export function methodsOf(
  { service, forwards }: Implementation,
  { inBand, open = false }: { inBand: boolean; open?: boolean },
): Method[] {
  return service.methods.map((desc) => {
    const declared = protoPolicy(desc);
    const policy = forwards ? withoutQuotas(declared) : declared;
    return new Method(desc, open ? { ...policy, access: ANYBODY } : policy, { inBand, forwarded: forwards });
  });
}

/** The stages that calls of a method pass. */
export function stagesOf<S extends Pick<Stage, "inBand" | "skippedByForwards">>(
  { inBand, forwarded }: Method,
  stages: readonly S[],
): S[] {
  return stages.filter((stage) => (stage.inBand || !inBand) && !(stage.skippedByForwards && forwarded));
}

/** Puts the chain around a method's handler. */
export function route(method: Method, implementation: Implementation, stages: readonly Stage[]): Route {
  const handler = implementation.handlers[method.desc.localName];
  if (handler === undefined) throw new TypeError(`${method.name} has no handler.`);
  const run = stagesOf(method, stages).reduceRight<Next>(
    (next, { interceptor }) => interceptor(next, method),
    invoke(method, handler),
  );
  return { method, run };
}
