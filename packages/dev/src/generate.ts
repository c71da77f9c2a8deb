// `npm run generate`: makes proto/gen anew, whether or not it is fresh, and then what is made from it.
import { generate } from "../generate.mjs";

generate();
const { writeArtifacts } = await import("@gantry/observability");
writeArtifacts();
