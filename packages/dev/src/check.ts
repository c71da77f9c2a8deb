// `npm run check`: everything that can be said of the sources without running them.
import { checkAll } from "./checks/all.ts";

process.exitCode = (await checkAll()) ? 0 : 1;
