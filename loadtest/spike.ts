/** All at once, and over: workers may turn calls away meanwhile, and have to be as good as before after it. */
import { recovering } from "./lib/recovery.ts";

const HEIGHTS = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const run = recovering("spike", HEIGHTS);

export const { options, handleSummary } = run;
export default run.mix;
