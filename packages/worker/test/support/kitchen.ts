import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createFileRegistry, fromBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type Handlers, type ImplementOptions, implement, unimplemented } from "../../src/implement.ts";

export const KITCHEN_PROTO = fileURLToPath(new URL("../contracts/kitchen.proto", import.meta.url));

export type Dish = Message<"kitchen.v1.Dish"> & {
  name: string;
  count: number;
  filling: Uint8Array;
  sides: Dish[];
  sauces: { [name: string]: Dish };
};
export type Nothing = Message<"kitchen.v1.Nothing">;

const registry = compiled();

// The contract is compiled when the test runs, so its types are said here by hand.
export const DishSchema = found(registry.getMessage("kitchen.v1.Dish")) as GenMessage<Dish>;
export const NothingSchema = found(registry.getMessage("kitchen.v1.Nothing")) as GenMessage<Nothing>;
export const Kitchen = found(registry.getService("kitchen.v1.Kitchen")) as GenService<{
  cook: { methodKind: "unary"; input: typeof DishSchema; output: typeof DishSchema };
  serve: { methodKind: "server_streaming"; input: typeof DishSchema; output: typeof DishSchema };
  collect: { methodKind: "client_streaming"; input: typeof DishSchema; output: typeof DishSchema };
  chat: { methodKind: "bidi_streaming"; input: typeof DishSchema; output: typeof DishSchema };
  ping: { methodKind: "unary"; input: typeof NothingSchema; output: typeof NothingSchema };
  invent: { methodKind: "unary"; input: typeof DishSchema; output: typeof DishSchema };
}>;

export type KitchenHandlers = Handlers<typeof Kitchen>;

/** A kitchen that gives back what it gets, but for the handlers that a test brings. */
export function kitchen(handlers: Partial<KitchenHandlers> = {}, options: ImplementOptions = {}) {
  const echo: KitchenHandlers = {
    cook: (dish) => dish,
    async *serve({ name, count }) {
      for (let at = 1; at <= count; at += 1) yield { name, count: at };
    },
    async collect(dishes) {
      let count = 0;
      for await (const dish of dishes) count += dish.count;
      return { count };
    },
    async *chat(dishes) {
      yield* dishes;
    },
    ping: () => ({}),
    invent: unimplemented,
  };
  return implement(Kitchen, { ...echo, ...handlers }, options);
}

function compiled() {
  const buf = fileURLToPath(import.meta.resolve("@bufbuild/buf/bin/buf"));
  const bytes = execFileSync(process.execPath, [buf, "build", KITCHEN_PROTO, "-o", "-#format=binpb"]);
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}

function found<T>(descriptor: T | undefined): T {
  if (descriptor === undefined) throw new Error(`${KITCHEN_PROTO} has lost a part that tests use.`);
  return descriptor;
}
