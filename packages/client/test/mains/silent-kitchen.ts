/** A worker that takes calls, says so in its log, and never answers. */
import { runWorker } from "@gantry/worker";
import { kitchen } from "../../../worker/test/support/kitchen.ts";

await runWorker({
  name: "kitchen",
  version: "1.2.3",
  services: [
    kitchen({
      cook({ name }, { log }) {
        log.info({ dish: name }, "cooking");
        return new Promise(() => {});
      },
    }),
  ],
});
