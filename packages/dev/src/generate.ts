// `npm run generate`: makes proto/gen anew, whether or not it is fresh, and then what is made from it.
import { generate } from "../generate.mjs";

generate();
// What makes these reads proto/gen itself.
const { writeEnvoyFiles } = await import("./envoy/files.ts");
writeEnvoyFiles();
const { writeArtifacts } = await import("@gantry/observability");
writeArtifacts();
