import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";

const NAMESPACE = "named-exports";
/** Among the names that Node.js finds in a module, the mark of one in CommonJS. */
const COMMON_JS_MARK = "module.exports";

/**
 * Gives `await import("some-package")` in a bundle the names that it has in Node.js. Of a package in CommonJS,
 * esbuild with splitting hands out `default` alone (https://github.com/evanw/esbuild/issues/3245), so that code
 * which runs from its sources would fail once it is bundled.
 */
export const namedExports: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^[^.]/ }, async ({ kind, path, importer, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const found = await build.resolve(path, { kind: "import-statement", importer, resolveDir });
      if (found.errors.length > 0 || found.external || !found.path.includes("node_modules")) return undefined;
      const names = await namesOf(found.path);
      if (!names.includes(COMMON_JS_MARK)) return undefined;
      return { path: found.path, namespace: NAMESPACE, pluginData: names };
    });
    build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path, pluginData: names }: Loading) => ({
      contents: wrapperOf(path, names),
      resolveDir: dirname(path),
    }));
  },
};

interface Loading {
  readonly path: string;
  /** What `onResolve` found. */
  readonly pluginData: readonly string[];
}

async function namesOf(path: string): Promise<string[]> {
  return Object.keys((await import(pathToFileURL(path).href)) as object);
}

function wrapperOf(path: string, names: readonly string[]): string {
  const named = names.filter((name) => name !== "default" && name !== COMMON_JS_MARK);
  return [
    `const whole = require(${JSON.stringify(path)});`,
    "export default whole;",
    ...named.map((name, index) => {
      const exported = JSON.stringify(name);
      return `const export${index} = whole[${exported}]; export { export${index} as ${exported} };`;
    }),
  ].join("\n");
}
