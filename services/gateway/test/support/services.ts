import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { type Handlers, implement, unimplemented } from "@gantry/worker";
import { contract } from "./contracts.ts";

/** A greeter that has only the handlers that a test brings, and no quotas, as behind the gateway's front. */
export function greeter(handlers: Partial<Handlers<typeof Greeter>>) {
  return implement(
    Greeter,
    {
      sayHello: unimplemented,
      lotsOfReplies: unimplemented,
      lotsOfGreetings: unimplemented,
      bidiHello: unimplemented,
      ...handlers,
    },
    { forwards: true },
  );
}

export function math(handlers: Partial<Handlers<typeof MathService>>) {
  return implement(
    MathService,
    {
      sum: unimplemented,
      version: unimplemented,
      divide: unimplemented,
      fibonacci: unimplemented,
      accumulate: unimplemented,
      runningSum: unimplemented,
      ...handlers,
    },
    { forwards: true },
  );
}

/** The contract `menu.v1.Menu`, whose message type has itself inside. */
export const Menu = contract("menu.proto", "menu.v1.Menu");

/** A menu that has only the handlers that a test brings: of its contract, nothing but names is known to types. */
export function menu(handlers: Readonly<Record<string, (request: never) => unknown>>) {
  const all = Menu.methods.map(({ localName }) => [localName, handlers[localName] ?? unimplemented]);
  return implement(Menu, Object.fromEntries(all), { forwards: true });
}
