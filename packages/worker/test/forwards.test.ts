import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "@gantry/proto/gantry/v1/admin_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code } from "@gantry/rpc";
import { implement, unimplemented } from "../src/implement.ts";
import { createTestWorker } from "../src/testing.ts";
import { failsWith } from "./support/in-process.ts";
import { temporaryFile } from "./support/temporary-file.ts";

const forwarding = () =>
  implement(
    Greeter,
    {
      sayHello: ({ name }) => ({ reply: name }),
      lotsOfReplies: unimplemented,
      lotsOfGreetings: unimplemented,
      bidiHello: unimplemented,
    },
    { forwards: true },
  );

test("a service that only hands calls on leaves validation and the proto's quotas to the worker behind it", async () => {
  await using worker = await createTestWorker({ services: [forwarding()] });
  const greeter = worker.client(Greeter);
  assert.equal((await greeter.sayHello({ name: "" })).reply, "");
  for (let count = 0; count < 100; count += 1) await greeter.sayHello({ name: "often" });
  const { methods } = await worker.client(Admin).explain({ method: "greeter.v1.Greeter/SayHello" });
  assert.deepEqual(methods[0]?.policy?.quotas, []);
  assert.ok(methods[0]?.policy?.timeout?.max, "its timeouts hold");
  assert.ok(!methods[0]?.interceptors.includes("validate"));
});

test("quotas of its own policy file hold", async () => {
  await using policy = await temporaryFile(
    "policy.yaml",
    'methods: { greeter.v1.Greeter/SayHello: { quotas: [{ id: at-the-gate, subject: "", limit: 1 }] } }',
  );
  await using worker = await createTestWorker({ services: [forwarding()], policyFile: policy.path });
  const greeter = worker.client(Greeter);
  await greeter.sayHello({ name: "once" });
  await assert.rejects(greeter.sayHello({ name: "twice" }), failsWith(Code.ResourceExhausted));
});
