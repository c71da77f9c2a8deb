/**
 * # Policy files
 *
 * An operator's words on policy, over those of the protos, without a build:
 *
 * ```yaml
 * methods:
 *   greeter.v1.Greeter/SayHello:
 *     timeout: { default: 2s, max: 10s }
 *     quotas:
 *       - { id: greet-once, subject: request.name, limit: 1 }
 * ```
 *
 * What a file gives stands in the place of what the proto declares; what it does not give, stays.
 * Quotas are replaced as a whole list, and `quotas: []` leaves none; access is replaced as a whole, and
 * `access: {}` lets any principal call. The fields are those of `gantry.v1.Policy`.
 */
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { AccessSchema, PolicySchema, QuotaSchema, TimeoutSchema } from "@gantry/proto/gantry/v1/policy_pb.js";
import { parseYaml, type YamlEntry, type YamlFile, type YamlNode } from "../config/yaml-file.ts";
import { fieldsOf, foundOf, messageOf } from "../config/yaml-message.ts";
import type { Method } from "../method.ts";
import { nearest } from "../nearest.ts";
import { accessOf } from "./access.ts";
import { atLeast1Ms, type MethodPolicy, type QuotaRule, quotaRule, repeatedIds } from "./policy.ts";
import { gather, PolicyError } from "./policy-error.ts";

/**
 * The policies of the methods that a file names.
 *
 * @param declared what the protos declare, for every method that a file may name
 * @throws PolicyError with all that is wrong with the file, each problem with its line: `policy.yaml:4: …`
 */
export async function readPolicyFile(
  path: string,
  content: string,
  declared: ReadonlyMap<Method, MethodPolicy>,
): Promise<Map<Method, MethodPolicy>> {
  const file = await parseYaml(path, content);
  const methods = [...declared.keys()];
  const overridden = new Map<Method, MethodPolicy>();
  for (const { key, line, value } of methodEntries(file)) {
    const method = methods.find(({ name }) => name === key);
    const policy = method && declared.get(method);
    if (method && policy) {
      overridden.set(method, override(file, method, policy, value));
    } else {
      const names = nearest(
        key,
        methods.map(({ name }) => name),
      ).join(", ");
      file.report(
        line,
        `there is no method ${JSON.stringify(key)} to hold to a policy: the nearest are ${names}`,
      );
    }
  }
  const problems = file.problems();
  if (problems.length > 0) throw new PolicyError(...problems);
  return overridden;
}

function methodEntries({ root, report }: YamlFile): readonly YamlEntry[] {
  if (!root) return [];
  if (root.kind !== "mapping") {
    report(root.line, `the file is ${foundOf(root)}: expected a mapping with methods`);
    return [];
  }
  return root.entries.flatMap(({ key, line, value }) => {
    if (key !== "methods") {
      report(line, `the file has no field ${JSON.stringify(key)}: expected methods`);
    } else if (value.kind !== "mapping") {
      report(line, `methods is ${foundOf(value)}: expected a mapping from methods to policies`);
    } else {
      return value.entries;
    }
    return [];
  });
}

function override(file: YamlFile, method: Method, declared: MethodPolicy, node: YamlNode): MethodPolicy {
  return fieldsOf(PolicySchema, method.name, node, file.report).reduce(
    // A field of the schema has one of the schema's names.
    (policy, { field, entry }) => POLICY[field.localName as keyof typeof POLICY](file, method, entry, policy),
    declared,
  );
}

type ReadField = (file: YamlFile, method: Method, entry: YamlEntry, policy: MethodPolicy) => MethodPolicy;

/** How each field of a policy is read: one that is new in the proto does not compile until it has its place here. */
const POLICY: Record<keyof typeof PolicySchema.field, ReadField> = {
  timeout: (file, method, { value }, declared) =>
    fieldsOf(TimeoutSchema, "timeout", value, file.report).reduce(
      // As above, of the schema of timeouts.
      (policy, { field, entry }) =>
        TIMEOUT[field.localName as keyof typeof TIMEOUT](file, method, entry, policy),
      declared,
    ),
  quotas: (file, method, { value, line }, policy) => ({
    ...policy,
    quotas: rules(file, method, value),
    sources: { ...policy.sources, quotas: file.at(line) },
  }),
  access: (file, _method, { value, line }, policy) => {
    const read = messageOf(AccessSchema, "access", value, file.report);
    const access = read && attempt(file, line, () => accessOf(read));
    return access ? { ...policy, access, sources: { ...policy.sources, access: file.at(line) } } : policy;
  },
  retry: refuseWordsToClients,
  hedging: refuseWordsToClients,
};

const TIMEOUT: Record<keyof typeof TimeoutSchema.field, ReadField> = {
  default: (file, _method, entry, policy) => ({
    ...policy,
    timeoutDefaultMs: duration(file, "timeout.default", entry),
    sources: { ...policy.sources, timeoutDefault: file.at(entry.line) },
  }),
  max: (file, _method, entry, policy) => ({
    ...policy,
    timeoutMaxMs: duration(file, "timeout.max", entry),
    sources: { ...policy.sources, timeoutMax: file.at(entry.line) },
  }),
};

function refuseWordsToClients(
  file: YamlFile,
  _method: Method,
  { key, line }: YamlEntry,
  policy: MethodPolicy,
): MethodPolicy {
  file.report(
    line,
    `${key} is for clients, who read it in the proto that they were built with: a worker cannot change it`,
  );
  return policy;
}

function duration(file: YamlFile, what: string, { line, value }: YamlEntry): number | undefined {
  const read = messageOf(DurationSchema, what, value, file.report);
  return read && attempt(file, line, () => atLeast1Ms(what, read));
}

function rules(file: YamlFile, method: Method, node: YamlNode): QuotaRule[] {
  if (node.kind !== "list") {
    file.report(node.line, `quotas is ${foundOf(node)}: expected a list of quotas, or [] for none`);
    return [];
  }
  const read = node.items.flatMap((item, index) => {
    const quota = messageOf(QuotaSchema, `quotas[${index}]`, item, file.report);
    const rule = quota && attempt(file, item.line, () => quotaRule(quota, method.desc));
    return rule ? [{ id: rule.id, line: item.line, rule }] : [];
  });
  for (const { id, line } of repeatedIds(read)) file.report(line, `quota "${id}" is declared twice`);
  return read.map(({ rule }) => rule);
}

/** What `make` gives; where it throws a `PolicyError`, its problems are reported with the line. */
function attempt<T>(file: YamlFile, line: number, make: () => T): T | undefined {
  const problems: string[] = [];
  const made = gather(problems, make);
  for (const problem of problems) file.report(line, problem);
  return made;
}
