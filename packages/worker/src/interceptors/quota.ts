import type { Message } from "@bufbuild/protobuf";
import { RpcError } from "@gantry/rpc";
import type { Call } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";
import type { Method } from "../method.ts";
import type { MethodPolicy, QuotaRule } from "../policy/policy.ts";
import type { QuotaStats } from "../quota/quota-stats.ts";
import { bindingOf, refusalError } from "../quota/refusal.ts";
import type { Allowed, BucketState, Charge, Decision, QuotaStore } from "../quota/store.ts";

/**
 * Holds calls to the quotas of their method's policy. A quota on calls is charged when a call opens,
 * one on messages for each request message; a method that takes one message is charged for both at
 * once, all or nothing. A message that is refused ends its call, whatever the handler makes of it.
 * The policy may be replaced meanwhile: calls that come later, and messages of a stream that
 * counted its messages when it opened, are held to the new one.
 *
 * Calls that pass carry `ratelimit-limit`, `ratelimit-remaining` and `ratelimit-reset` (seconds until
 * the quota is whole again; left out where it never is) of the quota that has least left.
 */
export function quota(store: QuotaStore, stats: QuotaStats): Interceptor {
  /** Charges all of the rules or none. @throws RpcError where they refuse. */
  function charge(call: Call, rules: readonly QuotaRule[], message: Message | undefined) {
    const charges = rules.map((rule): Charge => ({ rule, subject: rule.subject.of(call, message) }));
    const decision = store.take(charges);
    // A store in memory answers at once: no call waits for it.
    return decision instanceof Promise
      ? decision.then((decided) => settle(call, charges, decided))
      : settle(call, charges, decision);
  }

  function settle(call: Call, charges: readonly Charge[], decision: Decision): Allowance | undefined {
    if (decision.allowed) {
      for (const { rule } of charges) stats.count(rule.id, "allowed");
      return tightest(charges, decision);
    }
    for (const refusal of decision.refusals) stats.count(refusal.charge.rule.id, "refused");
    const binding = bindingOf(decision.refusals);
    if (!binding) throw new TypeError("The quota store refused a call without saying which quota does.");
    call.refusedBy = binding.charge.rule.id;
    throw refusalError(call.method, decision.refusals, binding);
  }

  return (next, method) => {
    if (method.inBand) return next;
    let plan = planOf(method);
    const planInForce = (): Plan => {
      if (plan.policy !== method.policy) plan = planOf(method);
      return plan;
    };

    async function* counted(call: Call, requests: AsyncIterable<Message>, opened: Allowance | undefined) {
      for await (const message of requests) {
        const { onMessage } = planInForce();
        if (onMessage.length > 0) {
          try {
            const charged = charge(call, onMessage, message);
            tell(call, lesser(opened, charged instanceof Promise ? await charged : charged));
          } catch (error) {
            if (error instanceof RpcError) call.abort(error);
            throw error;
          }
        }
        yield message;
      }
    }

    function pass(call: Call, onMessage: readonly QuotaRule[], opened: Allowance | undefined) {
      if (opened) tell(call, opened);
      if (call.requests && onMessage.length > 0) call.requests = counted(call, call.requests, opened);
      return next(call);
    }

    return (call) => {
      const { onOpen, onMessage } = planInForce();
      if (onOpen.length === 0) return pass(call, onMessage, undefined);
      const charged = charge(call, onOpen, call.request);
      return charged instanceof Promise
        ? charged.then((opened) => {
            // The call may have ended while it waited for the store.
            if (call.failure) throw call.failure;
            return pass(call, onMessage, opened);
          })
        : pass(call, onMessage, charged);
    };
  };
}

/** The quotas of a policy by when they are charged. */
interface Plan {
  readonly policy: MethodPolicy;
  readonly onOpen: readonly QuotaRule[];
  readonly onMessage: readonly QuotaRule[];
}

function planOf({ policy, clientStreaming }: Method): Plan {
  if (!clientStreaming) return { policy, onOpen: policy.quotas, onMessage: [] };
  return {
    policy,
    onOpen: policy.quotas.filter(({ per }) => per === "call"),
    onMessage: policy.quotas.filter(({ per }) => per === "message"),
  };
}

/** What a quota has left for a call's subject. */
interface Allowance {
  readonly rule: QuotaRule;
  readonly state: BucketState;
}

function tightest(charges: readonly Charge[], { states }: Allowed): Allowance | undefined {
  let least: Allowance | undefined;
  for (const [index, { rule }] of charges.entries()) {
    const state = states[index];
    if (state) least = lesser(least, { rule, state });
  }
  return least;
}

function lesser(one: Allowance | undefined, other: Allowance | undefined): Allowance | undefined {
  return one && (!other || one.state.remaining <= other.state.remaining) ? one : other;
}

function tell({ trailers }: Call, allowance: Allowance | undefined): void {
  if (!allowance) return;
  const { rule, state } = allowance;
  trailers.set("ratelimit-limit", String(rule.limit));
  trailers.set("ratelimit-remaining", String(state.remaining));
  if (state.resetMs === undefined) trailers.delete("ratelimit-reset");
  else trailers.set("ratelimit-reset", String(Math.ceil(state.resetMs / 1_000)));
}
