import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Call } from "../call.ts";
import type { Interceptor } from "../interceptor.ts";
import { invalidArgument } from "../validate/invalid-argument.ts";
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
