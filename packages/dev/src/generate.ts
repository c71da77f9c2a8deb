// `npm run generate`: makes proto/gen anew, whether or not it is fresh.
import { generate } from "../generate.mjs";

generate();
