// `npm run bench`: see bench/.
import { join } from "node:path";
import { root } from "../bootstrap.mjs";
import { runHere } from "./checks/tools.ts";

const main = join(root, "bench/src/main.ts");
process.exitCode = await runHere({ command: process.execPath, args: [main, ...process.argv.slice(2)] });
