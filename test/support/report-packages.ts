/** Preloaded with `node --import`, says on stderr which packages a process loads, by import or require. */
import { registerHooks } from "node:module";

const reported = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
    if (name !== undefined && !reported.has(name)) {
      reported.add(name);
      process.stderr.write(`loads ${name}\n`);
    }
    return nextLoad(url, context);
  },
});
