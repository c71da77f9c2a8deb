import type { Access as AccessMessage } from "@gantry/proto/gantry/v1/policy_pb.js";
import { PolicyError } from "./policy-error.ts";

/** Who may call a method. */
export interface Access {
  /** Anybody may, known or not. */
  readonly open: boolean;
  /** What a principal needs, all of it. None: any principal may. */
  readonly scopes: readonly string[];
}

export const ANY_PRINCIPAL: Access = { open: false, scopes: [] };
export const ANYBODY: Access = { open: true, scopes: [] };

/** What OAuth takes for a scope: RFC 6749, section 3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether it is one word of printable ASCII, without quotes and backslashes. */
export function isScope(text: string): boolean {
  return SCOPE.test(text);
}

/** @throws PolicyError with everything that is wrong with it */
export function accessOf({ open, scopes }: AccessMessage): Access {
  const problems = scopes
    .filter((scope) => !isScope(scope))
    .map((scope) => `access: scope ${JSON.stringify(scope)}: expected one word of printable ASCII`);
  if (open && scopes.length > 0) {
    problems.push("access is open and has scopes, which exclude each other: expected one of them");
  }
  if (problems.length > 0) throw new PolicyError(...problems);
  return { open, scopes };
}
