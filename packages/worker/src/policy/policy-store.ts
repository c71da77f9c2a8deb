import type { ExplainedMethod } from "@gantry/proto/gantry/v1/admin_pb.js";
import { readConfigFile } from "../config/config-file.ts";
import type { Logger } from "../log.ts";
import type { Method } from "../method.ts";
import { type Stage, stagesOf } from "../pipeline.ts";
import type { QuotaStats } from "../quota/quota-stats.ts";
import { describeRule, ruleKey } from "../quota/rule.ts";
import type { QuotaStore } from "../quota/store.ts";
import { watchFile } from "../watch-file.ts";
import { explainMethod } from "./explain.ts";
import type { MethodPolicy } from "./policy.ts";
import { PolicyError } from "./policy-error.ts";
import { readPolicyFile } from "./policy-file.ts";

/** The policies of a worker's methods, which its policy file may change while it runs. */
export interface Policies {
  /** What is in force for each method, and where each value came from. */
  explain(): readonly ExplainedMethod[];
  /** Looks at the policy file no longer. */
  close(): void;
}

export interface PoliciesOptions {
  /** Every method of the worker, with the policy that its proto declares. */
  readonly methods: readonly Method[];
  /** The path of the policy file; undefined: none. */
  readonly file: string | undefined;
  readonly quotaStore: QuotaStore;
  readonly stats: QuotaStats;
  readonly log: Logger;
  /** The chain that calls pass, outermost first; in-band methods pass only what is marked so. */
  readonly stages: readonly Pick<Stage, "name" | "inBand" | "skippedByForwards">[];
  /** How often to look at the policy file, in milliseconds. Default: 1000. */
  readonly intervalMs?: number;
}

/**
 * Puts the policy file in force, and again whenever it changes: for all methods at once, and with the
 * counts of those quotas that stay as they were. A file that is wrong is refused as a whole: at the start
 * by an error, later by the log, and the policy in force stays.
 *
 * @throws PolicyError where protos and file make no policy, with every problem
 */
export async function createPolicies(options: PoliciesOptions): Promise<Policies> {
  const { methods, file, quotaStore, stats, log, stages, intervalMs } = options;
  const declared = new Map(methods.filter(({ inBand }) => !inBand).map((method) => [method, method.policy]));

  function apply(overridden: ReadonlyMap<Method, MethodPolicy>): void {
    const inForce = new Map([...declared, ...overridden]);
    const problems = disagreements(inForce);
    if (problems.length > 0) throw new PolicyError(...problems);
    const together = [...inForce.values()].map(({ quotas }) => quotas);
    const rules = together.flat();
    for (const { id } of rules) stats.know(id);
    for (const [method, policy] of inForce) method.policy = policy;
    quotaStore.retain(rules, together);
  }

  async function reload(path: string, content: string): Promise<void> {
    try {
      apply(await readPolicyFile(path, content, declared));
      log.info({ file: path }, "the policy file changed and is in force");
    } catch (error) {
      const problems = error instanceof PolicyError ? { problems: error.problems } : { err: error };
      log.error(
        { file: path, ...problems },
        "the policy file changed and is refused; the policy in force stays",
      );
    }
  }

  async function load(path: string): Promise<{ close(): void }> {
    const content = await readConfigFile(path).catch((error: Error) => {
      throw new PolicyError(`POLICY_FILE: ${error.message}`);
    });
    apply(await readPolicyFile(path, content, declared));
    log.info({ file: path }, "the policy file is in force");
    /** One change after the other, in the order in which they came. */
    let reloaded = Promise.resolve();
    const onChange = (changed: string) => {
      reloaded = reloaded.then(() => reload(path, changed));
    };
    return watchFile(path, onChange, { log, content, ...(intervalMs !== undefined && { intervalMs }) });
  }

  if (file === undefined) apply(new Map());
  const watch = file === undefined ? undefined : await load(file);
  return {
    explain: () =>
      methods.map((method) =>
        explainMethod(
          method,
          stagesOf(method, stages).map(({ name }) => name),
        ),
      ),
    close: () => watch?.close(),
  };
}

/** Methods that name the same quota share its count, which makes sense only for the same rule. */
function disagreements(policies: ReadonlyMap<Method, MethodPolicy>): string[] {
  const problems: string[] = [];
  const first = new Map<string, { method: Method; policy: MethodPolicy; key: string; rule: string }>();
  for (const [method, policy] of policies) {
    for (const quota of policy.quotas) {
      const key = ruleKey(quota);
      const rule = describeRule(quota);
      const other = first.get(quota.id);
      if (!other) {
        first.set(quota.id, { method, policy, key, rule });
      } else if (other.key !== key) {
        problems.push(
          `quota "${quota.id}" is ${other.rule} for ${other.method.name} (${other.policy.sources.quotas}), but ${rule} for ${method.name} (${policy.sources.quotas}): expected one rule wherever the id is the same`,
        );
      }
    }
  }
  return problems;
}
