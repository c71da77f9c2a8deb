/** More and more, and back: workers may turn calls away at the top, and have to be as good as before after it. */
import { recovering } from "./lib/recovery.ts";

const HEIGHTS = [0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1, 0.5, 0, 0, 0, 0, 0];

const run = recovering("stress", HEIGHTS);

export const { options, handleSummary } = run;
export default run.mix;
