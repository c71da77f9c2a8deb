/** The load tests of loadtest/, run by a real k6 against real workers. */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { DescFile, DescMethod } from "@bufbuild/protobuf";
import { METHODS } from "../loadtest/lib/methods.ts";
import { temporaryFile } from "../packages/worker/test/support/temporary-file.ts";
import { certificateFiles, createAuthority } from "./support/certificates.ts";
import { load, needsK6, runLoad, THRESHOLD_CROSSED, wrong } from "./support/load-run.ts";
import { hasEnvoy, startEnvoy } from "./support/observed-envoy.ts";
import { requireProgram } from "./support/programs.ts";
import { runPrometheus } from "./support/prometheus.ts";
import { ROOT, type Settings, startWorker } from "./support/worker-process.ts";

const POLICIES = join(ROOT, "loadtest/policies");
const GREETER = "greeter.v1.Greeter";

/** Every method of every contract of ours. */
const ours: DescMethod[] = [];
for (const path of globSync("{greeter,math,gantry}/**/*.proto", { cwd: join(ROOT, "proto") })) {
  const module: object = await import(`@gantry/proto/${path.replace(/\.proto$/, "_pb.js")}`);
  // A module that protobuf-es has generated has one file's descriptor.
  const file = Object.values(module).find((each): each is DescFile => each?.kind === "file");
  ours.push(...(file?.services.flatMap(({ methods }) => methods) ?? []));
}
const nameOf = ({ parent, name }: DescMethod) => `${parent.typeName}/${name}`;

test("there is an example of every method of every contract, each of its kind", () => {
  assert.deepEqual(
    METHODS.map(({ service, name, kind }) => `${service}/${name} ${kind}`).toSorted(),
    ours.map((method) => `${nameOf(method)} ${method.methodKind}`).toSorted(),
  );
});

test("smoke calls every method by gRPC, and those with a path by REST, and all answer", needsK6, async () => {
  await using greeter = await startWorker("greeter");
  await using math = await startWorker("math");
  const workers = { GREETER_ADDRESS: greeter.address, MATH_ADDRESS: math.address };
  await using gateway = await startWorker("gateway", {
    GREETER_TARGET: greeter.address,
    MATH_TARGET: math.address,
  });
  const byGrpc = await runLoad("smoke", workers);
  assert.equal(byGrpc.exitCode, 0, byGrpc.output);
  assert.deepEqual(byGrpc.result.methods.map(({ method }) => method).toSorted(), ours.map(nameOf).toSorted());

  const byRest = await runLoad("smoke", { TARGET: "rest", REST_URL: `http://${gateway.address}` });
  assert.equal(byRest.exitCode, 0, byRest.output);
  const withPath = METHODS.filter(({ internal }) => !internal).map(
    ({ service, name }) => `${service}/${name}`,
  );
  assert.deepEqual(
    byRest.result.methods.map(({ method }) => method),
    withPath,
  );
  for (const { result } of [byGrpc, byRest]) {
    assert.ok(result.statuses.INVALID_ARGUMENT && result.statuses.OUT_OF_RANGE, "refusals are looked at too");
  }
});

test("smoke goes through Envoy by gRPC, to all that Envoy lets through", {
  skip: needsK6.skip || (hasEnvoy ? false : "Envoy is not there"),
}, async () => {
  await using greeter = await startWorker("greeter");
  await using math = await startWorker("math");
  const behind = METHODS.filter(({ internal }) => !internal);
  const upstream = (service: string, address: string) => {
    const methods = behind.filter((method) => method.service === service).map(({ name }) => name);
    return { cluster: service, service, methods, address };
  };
  await using envoy = await startEnvoy([
    upstream(GREETER, greeter.address),
    upstream("math.v1.Math", math.address),
  ]);
  const settings = { TARGET: "envoy", ENVOY_ADDRESS: envoy.address };
  const { exitCode, output, result } = await runLoad("smoke", settings);
  assert.equal(exitCode, 0, output);
  assert.deepEqual(
    result.methods.map(({ method }) => method),
    behind.map(({ service, name }) => `${service}/${name}`),
  );
});

test("smoke speaks TLS to a worker of an authority that it is given", needsK6, async () => {
  const authority = await createAuthority();
  const server = await authority.issue({ names: ["IP:127.0.0.1"] });
  await using files = await certificateFiles({
    "tls.crt": server.cert,
    "tls.key": server.key,
    "ca.crt": authority.certificate,
  });
  await using greeter = await startWorker("greeter", {
    TLS_CERT: files.path("tls.crt"),
    TLS_KEY: files.path("tls.key"),
  });
  const settings = { SERVICES: GREETER, GREETER_ADDRESS: greeter.address };
  const { exitCode, output } = await runLoad("smoke", { ...settings, TLS_CA: files.path("ca.crt") });
  assert.equal(exitCode, 0, output);
});

test(
  "smoke fails, with 99, where a method does not answer as it should, and says which",
  needsK6,
  async () => {
    await using math = await startWorker("math");
    const settings = { SERVICES: GREETER, GREETER_ADDRESS: math.address };
    const { exitCode, output, result } = await runLoad("smoke", settings);
    assert.equal(exitCode, THRESHOLD_CROSSED);
    assert.match(output, /greeter\.v1\.Greeter\/SayHello: UNIMPLEMENTED .*expected OK/);
    assert.equal(result.ok, false);
  },
);

test(
  "quota proves a limit under contention: a rule that allows one more or less does not pass",
  needsK6,
  async () => {
    const rule = `{ id: greetings, subject: request.name, limit: 25 }`;
    await using policy = await temporaryFile(
      "policy.yaml",
      `methods: { ${GREETER}/SayHello: { quotas: [${rule}] } }`,
    );
    await using greeter = await startWorker("greeter", { POLICY_FILE: policy.path });
    const settings = { GREETER_ADDRESS: greeter.address, SERVICES: GREETER, QUOTA_WINDOW: "0" };
    const exact = await runLoad("quota", { ...settings, QUOTA_LIMIT: "25" });
    assert.deepEqual(exact.result.statuses, { OK: 25, RESOURCE_EXHAUSTED: 225 });
    assert.deepEqual(wrong(exact.result), []);
    const shared = await runLoad("quota", { ...settings, QUOTA_LIMIT: "25" }, "-e", "CALLS_PER_CONNECTION=5");
    assert.deepEqual(shared.result.statuses, { OK: 25, RESOURCE_EXHAUSTED: 225 });
    for (const limit of ["24", "26"]) {
      const { exitCode, result } = await runLoad("quota", { ...settings, QUOTA_LIMIT: limit });
      assert.equal(exitCode, THRESHOLD_CROSSED, limit);
      assert.equal(result.statuses.OK, 25);
    }
  },
);

test("load holds both services to their objectives, and Prometheus is sent what the README says", {
  skip: needsK6.skip || requireProgram("prometheus", "apt-get install prometheus").skip,
}, async () => {
  await using greeter = await startGreeter();
  await using math = await startWorker("math", { POLICY_FILE: join(POLICIES, "math.yaml") });
  await using prometheus = await runPrometheus({});
  const settings = {
    GREETER_ADDRESS: greeter.address,
    MATH_ADDRESS: math.address,
    K6_PROMETHEUS_RW_SERVER_URL: prometheus.remoteWrite,
    ...{ RATE: "100", DURATION: "3s", CONNECTIONS: "20" },
  };
  const { result } = await runLoad("load", settings, "-o", "experimental-prometheus-rw");
  assert.deepEqual(wrong(result), []);
  assert.ok(result.total.calls > 250, `${result.total.calls} calls`);

  const file = await readFile(join(ROOT, "observability/slos.json"), "utf8");
  const rules = Object.entries<{ latency: { ms: number } }>(JSON.parse(file).services).map(
    ([service, { latency }]) => `p(99)<=${latency.ms} of grpc_req_duration{service:${service},kind:unary}`,
  );
  const held = result.thresholds.map(({ rule }) => rule);
  assert.deepEqual(
    rules.filter((rule) => !held.includes(rule)),
    [],
  );

  const labels =
    '{scenario="load",target="grpc",service="math.v1.Math",method="Sum",kind="unary",testid!=""}';
  for (const metric of ["grpc_reqs_total", "grpc_req_failed_rate", "grpc_req_duration_p99"]) {
    const [sample] = await prometheus.query(`k6_${metric}${labels}`);
    assert.equal(sample?.metric.status, "0", metric);
  }
});

test("npm run load says how to start workers where none listen, and what there is to run", async () => {
  const nobody = await load(["smoke"], { GREETER_ADDRESS: "127.0.0.1:1", MATH_ADDRESS: "127.0.0.1:1" });
  assert.equal(nobody.exitCode, 1);
  assert.match(nobody.output, /^Nobody listens at 127\.0\.0\.1:1 \(GREETER_ADDRESS\)\. Start .*"npm start"/);

  const unknown = await load(["smok"]);
  assert.equal(unknown.exitCode, 1);
  assert.match(unknown.output, /^There is no scenario "smok"\. They are: breakpoint, .*streams, stress\./);

  const settings = await load(["smoke", "-e", "RATE=fast", "-e", "TARGET=http"]);
  assert.equal(settings.exitCode, 1);
  assert.match(
    settings.output,
    /^TARGET is "http": expected grpc.*\nRATE is "fast": expected a whole number/,
  );
});

/** Without quotas: here they would be what refuses calls. */
function startGreeter(settings: Settings = {}) {
  return startWorker("greeter", { POLICY_FILE: join(POLICIES, "greeter.yaml"), ...settings });
}
