import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "@gantry/proto/gantry/v1/admin_pb.js";
import { Code } from "@gantry/rpc";
import { createAdminService } from "../src/admin/admin-service.ts";
import { clientOf } from "./support/client-of.ts";

const { client } = clientOf(
  Admin,
  createAdminService(
    () => [
      {
        method: "greeter.v1.Greeter/SayHello",
        sources: { "timeout.default": "proto" },
        interceptors: ["recover"],
      },
      { method: "greeter.v1.Greeter/BidiHello" },
    ],
    () => [{ quota: "greetings-per-name", subject: "七米", limit: 60, remaining: 12 }],
  ),
);

test("Explain answers what is in force for every method", async () => {
  const { methods } = await client.explain({});
  assert.deepEqual(
    methods.map(({ method }) => method),
    ["greeter.v1.Greeter/SayHello", "greeter.v1.Greeter/BidiHello"],
  );
  assert.deepEqual(methods[0]?.sources, { "timeout.default": "proto" });
  assert.deepEqual(methods[0]?.interceptors, ["recover"]);
});

test("Explain answers for the one method that is asked for", async () => {
  const { methods } = await client.explain({ method: "greeter.v1.Greeter/BidiHello" });
  assert.deepEqual(
    methods.map(({ method }) => method),
    ["greeter.v1.Greeter/BidiHello"],
  );
});

test("Explain of a method that is not there is NOT_FOUND and says how one is named", async () => {
  await assert.rejects(client.explain({ method: "SayHello" }), {
    code: Code.NotFound,
    message:
      'There is no method "SayHello" on this worker: expected one such as greeter.v1.Greeter/SayHello.',
  });
});

test("Subjects answers who has used up how much of which quota", async () => {
  const { subjects } = await client.subjects({});
  assert.deepEqual(
    subjects.map(({ quota, subject, limit, remaining }) => ({ quota, subject, limit, remaining })),
    [{ quota: "greetings-per-name", subject: "七米", limit: 60, remaining: 12 }],
  );
});
