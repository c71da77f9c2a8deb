import { create, createRegistry, type DescFile, type DescMessage, type Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Violation } from "@bufbuild/protovalidate";
import { MOST_KEPT, type Violations } from "./findings.ts";
import type { Validator } from "./validation.ts";

/**
 * Has protovalidate itself check these types: they have rules that only it knows, such as CEL
 * expressions. It is loaded only where a type asks for it: that, and compiling its rules, takes tens
 * of milliseconds.
 *
 * @throws Error naming the type whose rules are wrong.
 */
export async function protovalidators(types: readonly DescMessage[]): Promise<[DescMessage, Validator][]> {
  const { CompilationError, createValidator } = await import("@bufbuild/protovalidate");
  const files = new Set<DescFile>();
  for (const { file } of types) addWithImports(file, files);
  const validator = createValidator({ registry: createRegistry(...files) });

  return types.map((desc) => {
    const validate = (message: Message): Violations | undefined => {
      const { kind, error, violations } = validator.validate(desc, message);
      if (kind === "error") throw error;
      return violations && toViolations(violations);
    };
    // The first message has the rules compiled, so an empty one does it before the worker serves.
    const { error } = validator.validate(desc, create(desc));
    if (error instanceof CompilationError) {
      throw new Error(`The validation rules of ${desc.typeName} are wrong: ${error.message}`, {
        cause: error,
      });
    }
    return [desc, validate];
  });
}

function toViolations(violations: readonly Violation[]): Violations {
  return {
    total: violations.length,
    violations: violations.slice(0, MOST_KEPT).map(({ field, message, ruleId }) => ({
      field: pathToString(field),
      description: message,
      reason: ruleId,
    })),
  };
}

/** Predefined rules are extensions, which may stand in any file that the type's own imports. */
function addWithImports(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  files.add(file);
  for (const imported of file.dependencies) addWithImports(imported, files);
}
