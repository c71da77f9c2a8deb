import { runWorker } from "@gantry/worker";
import release from "../package.json" with { type: "json" };
import { greeter } from "./greeter.ts";

await runWorker({
  name: "greeter",
  version: release.version,
  services: [greeter],
  defaults: { port: 50051, adminPort: 9464 },
});
