import type { AuthStats } from "../auth/auth-stats.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import type { Verdict } from "../auth/credentials.ts";
import { authenticationUnavailable, permissionDenied, unauthenticated } from "../auth/refusals.ts";
import type { Call } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";
import type { Logger } from "../log.ts";
import type { MethodPolicy } from "../policy/policy.ts";
import { isPromise } from "./promises.ts";

/**
 * Lets in who may call: by the access of the method's policy, which may be replaced meanwhile. A call is
 * asked who makes it once, when it opens, and ends when what it has shown is no longer valid.
 *
 * Nobody is asked for an open method, unless one of its quotas counts by principal: then who shows
 * nothing is let in, and what is shown has to be good.
 */
export function authenticate(authenticator: Authenticator, stats: AuthStats, log: Logger): Interceptor {
  function refuse(call: Call, { credential, reason, undecided }: Extract<Verdict, { principal: undefined }>) {
    if (log.isLevelEnabled("debug")) call.log.debug({ credential, reason }, "not authenticated");
    stats.count(undecided ? "unavailable" : "unauthenticated", credential);
    return undecided ? authenticationUnavailable() : unauthenticated();
  }

  /** @throws RpcError for who may not call */
  function admit(call: Call, { open, scopes }: Plan, verdict: Verdict): void {
    const { credential, principal } = verdict;
    if (!principal) {
      if (!open || credential !== "none") throw refuse(call, verdict);
    } else {
      call.identify(principal, verdict.expiresAtMs);
      for (const scope of scopes) {
        if (principal.scopes.includes(scope)) continue;
        stats.count("denied", credential);
        throw permissionDenied(call.method);
      }
    }
    stats.count("allowed", credential);
  }

  return (next, method) => {
    let plan = planOf(method.policy);
    return (call) => {
      if (plan.policy !== method.policy) plan = planOf(method.policy);
      if (!plan.asks) return next(call);
      const inForce = plan;
      const verdict = authenticator.authenticate(call);
      if (!isPromise(verdict)) {
        admit(call, inForce, verdict);
        return next(call);
      }
      return call.race(verdict, ignore).then((verdict) => {
        admit(call, inForce, verdict);
        return next(call);
      });
    };
  };
}

/** A method's access, by what has to be done for it. */
interface Plan {
  readonly policy: MethodPolicy;
  readonly asks: boolean;
  readonly open: boolean;
  readonly scopes: readonly string[];
}

function planOf(policy: MethodPolicy): Plan {
  const { open, scopes } = policy.access;
  return {
    policy,
    open,
    scopes,
    asks: !open || policy.quotas.some(({ subject }) => subject.kind === "principal"),
  };
}

/** What is left behind when a call is over before it is known who made it tells nobody anything. */
function ignore(): void {}
