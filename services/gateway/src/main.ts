import { runWorker } from "@gantry/worker";
import { createGateway } from "./gateway.ts";

await runWorker(createGateway());
