import type { DescMessage, Message } from "@bufbuild/protobuf";
import { badRequest, Code, type FieldViolation, RpcError } from "@gantry/rpc";
import type { Call } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";
import type { Violations } from "../validate/findings.ts";
import { clip } from "../validate/text.ts";
import type { Validation, Validator } from "../validate/validation.ts";

export { prepareValidation } from "../validate/validation.ts";

/**
 * Holds every request message to the rules of its type before the handler sees it. What breaks them
 * is answered INVALID_ARGUMENT, with one BadRequest that names all violations at once; in a stream it
 * ends the call, whatever the handler makes of it. Methods whose request has no rules are left as
 * they are.
 */
export function validate(validation: Validation): Interceptor {
  return (next, { desc: { input }, clientStreaming }) => {
    const validator = validation.get(input);
    if (!validator) return next;
    if (clientStreaming) {
      return (call) => {
        if (call.requests) call.requests = checkedStream(call, call.requests, input, validator);
        return next(call);
      };
    }
    return async (call) => {
      const violations = call.request && validator(call.request);
      if (violations) throw invalidArgument(input, violations);
      return next(call);
    };
  };
}

/** The same messages, each checked as it comes. */
function checkedStream(
  call: Call,
  messages: AsyncIterable<Message>,
  desc: DescMessage,
  validator: Validator,
): AsyncIterable<Message> {
  return {
    [Symbol.asyncIterator]() {
      const source = messages[Symbol.asyncIterator]();
      const leave = () => source.return?.() ?? Promise.resolve({ done: true as const, value: undefined });
      const onNext = (result: IteratorResult<Message>) => {
        const violations = result.done ? undefined : validator(result.value);
        if (!violations) return result;
        const error = invalidArgument(desc, violations);
        call.abort(error);
        // How the source takes being left adds nothing to what the caller is told.
        leave().catch(() => undefined);
        throw error;
      };
      return { next: () => source.next().then(onNext), return: leave };
    },
  };
}

/** Status and details travel as trailers, of which clients take 8 KiB in all, and base64 adds a third. */
const MOST_DETAIL_BYTES = 4_096;
const LONGEST_PATH = 200;
const LONGEST_DESCRIPTION = 300;
const LONGEST_SUMMARY = 200;

function invalidArgument(desc: DescMessage, { violations, total }: Violations): RpcError {
  const listed = fitting(violations);
  const rest =
    listed.length < total ? ` The details name the first ${listed.length} of ${total} violations.` : "";
  return new RpcError(Code.InvalidArgument, `${desc.name} is not valid: ${summary(listed, total)}.${rest}`, [
    badRequest(listed),
  ]);
}

/** As many violations as trailers have room for, and the first of them in any case. */
function fitting(violations: readonly FieldViolation[]): FieldViolation[] {
  const listed: FieldViolation[] = [];
  let room = MOST_DETAIL_BYTES;
  for (const { field, description, reason = "" } of violations) {
    const violation = {
      field: clip(field, LONGEST_PATH),
      description: clip(description, LONGEST_DESCRIPTION),
      reason,
    };
    room -= Buffer.byteLength(violation.field + violation.description + reason);
    if (room < 0 && listed.length > 0) break;
    listed.push(violation);
  }
  return listed;
}

/** `name must be at least 1 characters; age must be greater than 0; and 3 more` */
function summary(violations: readonly FieldViolation[], total: number): string {
  let text = "";
  let named = 0;
  for (const { field, description } of violations) {
    const next = `${named > 0 ? "; " : ""}${field}${field && " "}${description}`;
    if (named > 0 && text.length + next.length > LONGEST_SUMMARY) break;
    text += next;
    named += 1;
  }
  text = clip(text, LONGEST_SUMMARY);
  return named < total ? `${text}; and ${total - named} more` : text;
}
