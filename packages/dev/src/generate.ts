// `npm run generate`: makes proto/gen anew, whether or not it is fresh, and Envoy's files from the contracts.
import { generate } from "../generate.mjs";

generate();
// What makes these reads proto/gen itself.
const { writeEnvoyFiles } = await import("./envoy/files.ts");
writeEnvoyFiles();
