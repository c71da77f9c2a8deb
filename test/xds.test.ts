import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type ClientInterceptor, type ConnectionOptions, createClient, retry } from "@gantry/client";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Code } from "@gantry/rpc";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { locations, NO_QUOTAS, startCalling } from "./support/calling.ts";
import { type ControlPlane, startControlPlane } from "./support/control-plane.ts";
import { startWorker } from "./support/worker-process.ts";

/** A process has one xDS bootstrap, and so these tests have one control plane. */
let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
  const template = "xdstp://north/envoy.config.listener.v3.Listener/%s";
  process.env.GRPC_XDS_BOOTSTRAP_CONFIG = plane.bootstrap({
    north: { client_listener_resource_name_template: template },
  });
});
after(() => plane[Symbol.asyncDispose]());

/** Enough to load the package, too, which is what the first call does. */
const PATIENT = { timeoutMs: 30_000 };

/** A route whose regular expression is none. */
const UNUSABLE = {
  hash_policy: [
    { header: { header_name: "tenant", regex_rewrite: { pattern: { regex: "(" }, substitution: "" } } },
  ],
};

/** Greeters with these names; each answers with its own as `location`. */
async function greeters(...names: string[]) {
  await using undo = new AsyncDisposableStack();
  const policy = undo.use(await temporaryFile("no-quotas.yaml", NO_QUOTAS));
  const started = await Promise.all(
    names.map(async (location) =>
      undo.use(await startWorker("greeter", { POLICY_FILE: policy.path, WORKER_LOCATION: location })),
    ),
  );
  const owned = undo.move();
  return {
    workers: started,
    addresses: started.map(({ address }) => address),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A client that calls all the while, and knows where to. */
async function calling(target: string, ...interceptors: ClientInterceptor[]) {
  const client = createClient(Greeter, target, { interceptors });
  await client.ready();
  return startCalling(client);
}

function clientOf(target: string, options: ConnectionOptions = {}) {
  return createClient(Greeter, target, options);
}

test("calls reach the Greeters that the control plane tells of, in turn", async () => {
  await using system = await greeters("one", "two");
  plane.serve("greeter", system.addresses);
  await using calls = await calling("xds:///greeter");
  while (locations(await calls.many(100)).length < 2);
  assert.deepEqual(calls.failed(), []);
});

test("a change of endpoints moves calls to another Greeter, and costs none", async () => {
  await using system = await greeters("one", "two");
  const [one = "", two = ""] = system.addresses;
  plane.serve("moving", [one]);
  await using calls = await calling("xds:///moving");
  assert.deepEqual(locations(await calls.many(100)), ["one"]);

  const moved = calls.next(({ location }) => location === "two");
  plane.serve("moving", [two]);
  await moved;
  await calls.many(100);
  assert.deepEqual(locations(await calls.many(100)), ["two"]);
  assert.deepEqual(calls.failed(), []);
});

test("a control plane that goes away and comes back costs no call", async () => {
  await using system = await greeters("one", "two");
  const [one = "", two = ""] = system.addresses;
  plane.serve("lasting", [one]);
  await using calls = await calling("xds:///lasting");
  await plane.taken();

  plane.kill();
  const outage = await calls.many(500);
  assert.deepEqual(locations(outage), ["one"]);
  await plane.start();
  // Who watched before watches again.
  const moved = calls.next(({ location }) => location === "two");
  plane.serve("lasting", [two]);
  await moved;
  assert.deepEqual(calls.failed(), []);
});

test("while the control plane is not there yet, calls say so, and are answered once it is", async () => {
  await using system = await greeters("one");
  plane.serve("early", system.addresses);
  plane.kill();
  await using client = clientOf("xds:///early");
  await assert.rejects(client.sayHello({ name: "七米" }, PATIENT), {
    code: Code.Unavailable,
    message: "xDS knows no way to xds:///early: Listener early: No connection established to xDS server.",
  });
  await plane.start();
  await client.ready();
  assert.equal((await client.sayHello({ name: "七米" })).reply, "Hello 七米");
});

test("of a Greeter that is killed no call fails where the client retries", async () => {
  await using system = await greeters("one", "two");
  plane.serve("retried", system.addresses);
  await using calls = await calling("xds:///retried", retry());
  while (locations(await calls.many(100)).length < 2);
  system.workers[0]?.signal("SIGKILL");
  await system.workers[0]?.exited;
  await calls.many(500);
  assert.deepEqual(locations(await calls.many(100)), ["two"]);
  assert.deepEqual(calls.failed(), []);
});

test("a target can name an authority of the bootstrap", async () => {
  await using system = await greeters("one");
  plane.serve("xdstp://north/envoy.config.listener.v3.Listener/distant", system.addresses);
  await using client = clientOf("xds://north/distant");
  await client.ready();
  assert.equal((await client.sayHello({ name: "七米" })).reply, "Hello 七米");
});

test("an authority that the bootstrap does not know is a failed precondition", async () => {
  await using client = clientOf("xds://south/greeter");
  await assert.rejects(client.sayHello({ name: "七米" }, PATIENT), {
    code: Code.FailedPrecondition,
    message: "The target xds://south/greeter cannot be used: Authority south not found in bootstrap file.",
  });
});

test("a call to a name that the control plane does not know ends with its deadline, or connectTimeoutMs", async () => {
  await using client = clientOf("xds:///nobody", { connectTimeoutMs: 300 });
  await assert.rejects(client.sayHello({ name: "七米" }, { timeoutMs: 50 }), { code: Code.DeadlineExceeded });
  await assert.rejects(client.sayHello({ name: "七米" }, PATIENT), {
    code: Code.Unavailable,
    message: "No connection to xds:///nobody within 300ms.",
  });
});

test("calls to a name without endpoints are UNAVAILABLE", async () => {
  plane.serve("empty", []);
  await using client = clientOf("xds:///empty");
  await assert.rejects(client.sayHello({ name: "七米" }, PATIENT), { code: Code.Unavailable });
});

test("what the control plane says and nobody can use fails calls, not the process", async () => {
  plane.serve("wrong", ["127.0.0.1:1"], UNUSABLE);
  await using client = clientOf("xds:///wrong");
  await assert.rejects(client.sayHello({ name: "七米" }, PATIENT), {
    code: Code.Unavailable,
    message: /^What the control plane says cannot be used: .*missing/,
  });
});

test("what the control plane said before holds where nobody can use what it says now", async () => {
  await using system = await greeters("one");
  plane.serve("kept", system.addresses);
  await using calls = await calling("xds:///kept");
  plane.serve("kept", system.addresses, UNUSABLE);
  await plane.taken();
  await calls.many(100);
  assert.deepEqual(calls.failed(), []);
});
