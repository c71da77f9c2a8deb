// `npm run fix`: formats, sorts imports and applies the safe corrections of the linter.
import { biome, runHere } from "./checks/tools.ts";

process.exitCode = await runHere(biome("check", "--write"));
