import { registerHooks } from "node:module";

/** The modules that this process loads from now on, until it is disposed of. */
export function loadedModules() {
  const urls: string[] = [];
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      urls.push(url);
      return nextLoad(url, context);
    },
  });
  return {
    /** Whether one of them has this in its URL. */
    has: (part: string) => urls.some((url) => url.includes(part)),
    [Symbol.dispose]: () => hooks.deregister(),
  };
}
