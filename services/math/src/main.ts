import { runWorker } from "@gantry/worker";
import release from "../package.json" with { type: "json" };
import { math } from "./math.ts";

await runWorker({
  name: "math",
  version: release.version,
  services: [math],
  defaults: { port: 50052, adminPort: 9465 },
});
