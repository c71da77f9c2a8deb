/**
 * # Validation
 *
 * Rules stand in the proto, as protovalidate's annotations. What services use day by day (lengths,
 * ranges, patterns, required fields …) is compiled here, once per message type at start-up, into
 * plain functions: protovalidate's own start takes longer than all the rest of a worker's. A type
 * with a rule that is not known here is checked by protovalidate itself, as a whole. Which of the two
 * checks a type makes no difference to what its callers see.
 */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type Check, Findings, type Violations } from "./findings.ts";
import { compileMessage } from "./message.ts";
import { BeyondNative } from "./rule-table.ts";

/** Checks one message. Undefined: it is valid. */
export type Validator = (message: Message) => Violations | undefined;

/** The validators of the message types that have rules; other types have none. */
export type Validation = ReadonlyMap<DescMessage, Validator>;

/** Compiles the rules of these message types. @throws Error naming the type whose rules are wrong. */
export async function prepareValidation(types: Iterable<DescMessage>): Promise<Validation> {
  const validators = new Map<DescMessage, Validator>();
  const beyondNative: DescMessage[] = [];
  for (const desc of new Set(types)) {
    try {
      const check = compileMessage(desc);
      if (check) validators.set(desc, validatorOf(check));
    } catch (error) {
      if (!(error instanceof BeyondNative)) throw error;
      beyondNative.push(desc);
    }
  }
  if (beyondNative.length > 0) {
    const { protovalidators } = await import("./protovalidate.ts");
    for (const [desc, validator] of await protovalidators(beyondNative)) validators.set(desc, validator);
  }
  return validators;
}

function validatorOf(check: Check<Message>): Validator {
  return (message) => {
    const found = new Findings();
    check(message, found);
    return found.total > 0 ? found : undefined;
  };
}
