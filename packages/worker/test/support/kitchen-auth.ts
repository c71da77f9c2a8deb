import { Metadata } from "@gantry/rpc";
import type { TestWorkerOptions } from "../../src/testing.ts";
import { PRINCIPALS } from "./auth.ts";
import { all, kitchenInProcess } from "./in-process.ts";
import type { KitchenHandlers } from "./kitchen.ts";
import { temporaryFile } from "./temporary-file.ts";

export interface AuthKitchenOptions extends Partial<TestWorkerOptions> {
  /** The file of principals. Default: `PRINCIPALS`. */
  readonly principals?: string;
  /** Policies by method, as a policy file has them: `{ Cook: "{ access: { open: true } }" }`. */
  readonly policies?: Readonly<Record<string, string>>;
}

/** A kitchen in this process that asks its callers who they are. */
export async function authKitchen(
  handlers: Partial<KitchenHandlers> = {},
  { principals = PRINCIPALS, policies = {}, ...options }: AuthKitchenOptions = {},
) {
  await using undo = new AsyncDisposableStack();
  const file = undo.use(await temporaryFile("auth.yaml", principals));
  const methods = Object.entries(policies).map(
    ([name, policy]) => `  kitchen.v1.Kitchen/${name}: ${policy}\n`,
  );
  const policyFile =
    methods.length > 0 ? await temporaryFile("policy.yaml", `methods:\n${methods.join("")}`) : undefined;
  undo.use(policyFile);
  const kitchen = undo.use(
    await kitchenInProcess(handlers, {
      authFile: file.path,
      ...(policyFile && { policyFile: policyFile.path }),
      ...options,
    }),
  );
  const { client } = kitchen;
  const owned = undo.move();
  return {
    ...kitchen,
    file,
    /** A call of each kind; resolves when it is over. */
    kinds: {
      Cook: (headers: Metadata) => client.cook({ name: "stew" }, { headers }),
      Serve: (headers: Metadata) => all(client.serve({ name: "soup", count: 2 }, { headers })),
      Collect: (headers: Metadata) => client.collect([{ count: 1 }, { count: 2 }], { headers }),
      Chat: (headers: Metadata) => all(client.chat([{ name: "a" }], { headers })),
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function headersOf(pairs: Readonly<Record<string, string>>): Metadata {
  return new Metadata(Object.entries(pairs));
}
