import {
  clone,
  create,
  createFileRegistry,
  type MessageInitShape,
  type Registry,
  setExtension,
} from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorProtoSchema,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { PolicySchema, policy as policyOption } from "@gantry/proto/gantry/v1/policy_pb.js";
import { Kitchen } from "./worker.ts";

/** What a contract says beside a method. */
export interface Words {
  readonly level?: keyof typeof MethodOptions_IdempotencyLevel;
  readonly policy?: MessageInitShape<typeof PolicySchema>;
}

type Shape<Service> = Service extends GenService<infer Methods> ? Methods : never;

/** The kitchen as clients know it whose contract says so beside its methods, by their names: `{ Cook: … }`. */
export function kitchenWith(words: Readonly<Record<string, Words>>): typeof Kitchen {
  const file = clone(FileDescriptorProtoSchema, Kitchen.file.proto);
  for (const method of file.service.flatMap((service) => service.method)) {
    const { level, policy } = words[method.name] ?? {};
    method.options = create(MethodOptionsSchema);
    if (level) method.options.idempotencyLevel = MethodOptions_IdempotencyLevel[level];
    if (policy) setExtension(method.options, policyOption, create(PolicySchema, policy));
  }
  const registry: Registry = createFileRegistry(file, () => undefined);
  const service = registry.getService(Kitchen.typeName);
  if (!service) throw new TypeError("The kitchen's contract has lost its service.");
  // The same methods and messages, with other options.
  return service as GenService<Shape<typeof Kitchen>>;
}

/**
 * Timers that do not wait: what is asked of them, and runs with the event loop's next turn.
 *
 * @param fires whether a timer, the how manieth it is, ever runs
 */
export function hastyTimers(fires: (delayMs: number, at: number) => boolean = () => true) {
  const delays: number[] = [];
  const running = new Set<number>();
  return {
    delays,
    /** The timers that have neither run nor been stopped: the first one is 1. */
    running,
    startTimer(run: () => void, delayMs: number) {
      const at = delays.push(delayMs);
      running.add(at);
      const fired = () => {
        running.delete(at);
        run();
      };
      const immediate = fires(delayMs, at) ? setImmediate(fired) : undefined;
      return () => {
        running.delete(at);
        clearImmediate(immediate);
      };
    },
  };
}
