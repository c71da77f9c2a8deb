import type { Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import { type Handlers, type ImplementOptions, implement, unimplemented } from "../../src/implement.ts";
import { contract } from "./contract.ts";

const compiled = contract("kitchen.proto");

export const KITCHEN_PROTO = compiled.path;

export type Dish = Message<"kitchen.v1.Dish"> & {
  name: string;
  count: number;
  filling: Uint8Array;
  sides: Dish[];
  sauces: { [name: string]: Dish };
};
export type Nothing = Message<"kitchen.v1.Nothing">;

// The contract is compiled when the test runs, so its types are said here by hand.
export const DishSchema = compiled.message("kitchen.v1.Dish") as GenMessage<Dish>;
export const NothingSchema = compiled.message("kitchen.v1.Nothing") as GenMessage<Nothing>;
export const Kitchen = compiled.service("kitchen.v1.Kitchen") as GenService<{
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
