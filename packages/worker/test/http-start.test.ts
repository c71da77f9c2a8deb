import assert from "node:assert/strict";
import { test } from "node:test";
import type { Implementation } from "../src/implement.ts";
import { startWorker } from "../src/worker.ts";
import { contract } from "./support/contract.ts";

const rivals = contract("rivals.proto");

/** A service of the contract, whose types are not known here. */
function serviceOf(name: string, method: string): Implementation {
  const service = rivals.service(`rivals.v1.${name}`);
  return { service, handlers: { [method]: () => ({}) }, aliases: [], health: undefined, forwards: false };
}

const start = (PROTOCOLS: string) =>
  startWorker({
    name: "rivals",
    version: "1.2.3",
    services: [serviceOf("First", "take"), serviceOf("Second", "grab")],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent", PROTOCOLS },
  });

test("two annotations that take the same requests stop the start, both of them named", async () => {
  await assert.rejects(start("grpc,http"), ({ message }: Error) => {
    assert.match(message, /rivals\.v1\.First\/Take GET \/v1\/things\/\{name\}/);
    assert.match(message, /rivals\.v1\.Second\/Grab GET \/v1\/things\/\{owner\}/);
    return true;
  });
});

test("they are nobody's concern where the worker speaks gRPC alone", async () => {
  const worker = await start("grpc");
  await worker.stop();
});
