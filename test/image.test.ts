import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { status } from "@grpc/grpc-js";
import { measureImage } from "../packages/dev/src/image/measure.ts";
import { certificateFiles, createAuthority } from "./support/certificates.ts";
import { build, buildImage, docker, filesOf, lineOf, requireDocker, runHardened } from "./support/docker.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { ROOT } from "./support/worker-process.ts";

const RUNTIME_IMAGE = "gcr.io/distroless/nodejs24-debian12:nonroot";
const HEALTH = ["/nodejs/bin/node", "main.js", "health"];
/** The first build installs all dependencies, and two cores may be busy with other tests. */
const BUILD_TIMEOUT_MS = 8 * 60_000;

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const execute = promisify(execFile);

describe("the image of greeter", { ...requireDocker(), timeout: 2 * BUILD_TIMEOUT_MS }, () => {
  let image = "";
  before(
    async () => {
      image = await buildImage("greeter");
    },
    { timeout: BUILD_TIMEOUT_MS },
  );

  test("it answers calls where it has no rights, a root that it cannot write to, and 128 MiB", async () => {
    await using container = await runHardened(image);
    await container.logged('"serving"');
    using client = connect(`${container.host}:50051`, greeter);
    const { code, replies } = await client.call("SayHello", { name: "七米" });
    assert.equal(code, status.OK);
    assert.deepEqual(replies, [{ reply: "Hello 七米" }]);
    const byRest = await fetch(`http://${container.host}:50051/api/v1/greeter/七米`);
    assert.deepEqual(await byRest.json(), { reply: "Hello 七米" });
    const metrics = await fetch(`http://${container.host}:9464/metrics`);
    assert.equal(metrics.status, 200);
  });

  test("with the settings of the manifests it turns calls away before its memory ends", async () => {
    const settings = ["--env-file", join(ROOT, "k8s/base/workers/settings.env"), "--env", "POLICY_FILE="];
    await using container = await runHardened(image, ...settings);
    await container.logged('"serving"');
    const clients = Array.from({ length: 100 }, () => connect(`${container.host}:50051`, greeter));
    using _close = { [Symbol.dispose]: () => clients.forEach((client) => void client[Symbol.dispose]()) };
    const calls = clients.flatMap((client) => Array.from({ length: 50 }, () => client.open("BidiHello")));
    let refused = 0;
    const told = Promise.withResolvers<void>();
    for (const call of calls) {
      call.send({ name: "在吗?" });
      call.answer.then(({ code }) => {
        if (code === status.UNAVAILABLE) refused += 1;
        if (refused === 4_000) told.resolve();
      });
    }
    await told.promise;
    const answers = await Promise.all(clients.map((client) => client.call("SayHello", { name: "七米" })));
    assert.ok(answers.every(({ code }) => code === status.UNAVAILABLE));
    for (const call of calls) call.cancel();
    const state = await docker(
      "inspect",
      "--format",
      "{{.State.Running}} {{.State.OOMKilled}}",
      container.id,
    );
    assert.equal(state, "true false");
  });

  test("its health command tells with its exit code and a sentence", async () => {
    await using container = await runHardened(image);
    await container.logged('"serving"');
    const inside = (...args: string[]) => docker("exec", container.id, ...HEALTH, ...args);
    assert.equal(await inside(), "127.0.0.1:50051 is SERVING.");
    assert.match(
      await inside("localhost:50051", "greeter.v1.Greeter"),
      /^greeter\.v1\.Greeter .* is SERVING\.$/,
    );
    await assert.rejects(inside("localhost:1"), { code: 1, stderr: /^Nobody listens at localhost:1/ });
  });

  test("its health command shows a certificate where the worker asks for one", async () => {
    const authority = await createAuthority();
    const { cert, key } = await authority.issue({ names: ["DNS:greeter"] });
    const contents = { "tls.crt": cert, "tls.key": key, "ca.crt": authority.certificate };
    const tls = ["--env", "TLS_CERT=/files/tls.crt", "--env", "TLS_KEY=/files/tls.key"];
    for (const settings of [tls, [...tls, "--env", "TLS_CLIENT_CA=/files/ca.crt"]]) {
      await using container = await runWith(image, contents, settings);
      await container.logged('"serving"');
      assert.equal(await docker("exec", container.id, ...HEALTH), "127.0.0.1:50051 is SERVING.");
      using plain = connect(`${container.host}:50051`, greeter);
      assert.equal((await plain.call("SayHello", { name: "plaintext" })).code, status.UNAVAILABLE);
    }
  });

  test("its health command needs no credentials where all others do", async () => {
    const settings = ["--env", "AUTH_FILE=/files/auth.yaml"];
    await using container = await runWith(image, { "auth.yaml": "principals: []" }, settings);
    await container.logged('"serving"');
    assert.equal(await docker("exec", container.id, ...HEALTH), "127.0.0.1:50051 is SERVING.");
    using client = connect(`${container.host}:50051`, greeter);
    assert.equal((await client.call("SayHello", { name: "nobody" })).code, status.UNAUTHENTICATED);
  });

  test("the gateway's image, beside it, answers in its name", async () => {
    const gateway = await buildImage("gateway");
    await using worker = await runHardened(image);
    const target = `GREETER_TARGET=dns:///${worker.host}:50051`;
    await using container = await runHardened(gateway, "--env", target);
    await container.logged('"serving"');
    const origin = `http://${container.host}:8080`;
    const page = await fetch(`${origin}/rpc?name=七米`);
    assert.equal(await page.text(), "Response from gRPC server: Hello 七米");
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ query: '{ greeterSayHello(name: "七米") { reply } }' });
    const answer = await fetch(`${origin}/graphql`, { method: "POST", headers, body });
    assert.deepEqual(await answer.json(), { data: { greeterSayHello: { reply: "Hello 七米" } } });
    assert.equal(await docker("exec", container.id, ...HEALTH), "127.0.0.1:8080 is SERVING.");
  });

  test("Docker itself finds it healthy, without a shell", async () => {
    await using container = await runHardened(image, "--health-interval", "1s");
    const since = await docker("inspect", "--format", "{{.Created}}", container.id);
    const events = ["events", "--since", since, "--filter", `container=${container.id}`];
    await lineOf([...events, "--filter", "event=health_status"], "health_status: healthy");
  });

  test("docker stop lets a call in flight finish, and it exits with 0", async () => {
    await using container = await runHardened(image);
    await container.logged('"serving"');
    using client = connect(`${container.host}:50051`, greeter);
    const call = client.open("BidiHello");
    call.send({ name: "在吗?" });
    await call.next();

    const stopped = docker("stop", container.id);
    await container.logged('"draining"');
    call.send({ name: "你好吗？" });
    call.end();
    assert.deepEqual(await call.next(), { reply: "我好!" });
    assert.equal((await call.answer).code, status.OK);
    await stopped;
    assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", container.id), "0");
  });

  test("it holds the bundle, its compiled code and its bill of materials, and no other file", async () => {
    const files = await filesOf(image, RUNTIME_IMAGE);
    const others = files.filter(
      (path) =>
        !/^app\/((main|health)\.js|package\.json|chunks\/[\w-]+\.js(\.LEGAL\.txt)?|compiled\/[\w.-]+\/\w+)$/.test(
          path,
        ),
    );
    assert.deepEqual(others, ["sbom.cdx.json"]);
    assert.ok(files.includes("app/main.js"));
  });

  test("there is no shell and no package manager", async () => {
    for (const program of ["sh", "bash", "busybox", "npm", "npx", "apt-get", "dpkg"]) {
      await assert.rejects(docker("run", "--rm", "--entrypoint", program, image), { code: 127 });
    }
  });

  test("it says what it is: labels, ports, user, environment", async () => {
    const { Config }: { Config: ImageConfig } = JSON.parse(
      await docker("inspect", "--format", "{{json .}}", image),
    );
    assert.equal(Config.Labels["org.opencontainers.image.title"], "gantry/greeter");
    assert.equal(Config.Labels["org.opencontainers.image.base.name"], RUNTIME_IMAGE);
    assert.equal(Config.User, "65532:65532");
    assert.ok("50051/tcp" in Config.ExposedPorts && "9464/tcp" in Config.ExposedPorts);
    assert.ok(Config.Env.includes("HOST=0.0.0.0") && Config.Env.includes("NODE_ENV=production"));
  });

  test("built anew in another place, it has the same layers", { timeout: BUILD_TIMEOUT_MS }, async () => {
    const layersOf = (name: string) => docker("inspect", "--format", "{{json .RootFS.Layers}}", name);
    const copy = await mkdtemp(join(tmpdir(), "gantry-again-"));
    try {
      const isSource = (path: string) => !/\/(node_modules|dist|\.git)$/.test(path);
      await cp(ROOT, copy, { recursive: true, filter: isSource });
      // What is in no layer, and yet has everything behind the locked dependencies made anew.
      await writeFile(join(copy, "proto/unrelated.txt"), String(Date.now()));
      await build(copy, "--build-arg", "SERVICE=greeter", "--tag", "gantry-test/again");
      assert.equal(await layersOf("gantry-test/again"), await layersOf(image));
    } finally {
      await rm(copy, { recursive: true });
      await docker("rmi", "--force", "gantry-test/again");
    }
  });

  test("its size and how soon it serves are printed", async (t) => {
    const { bytes, bytesWithoutNode, coldStartMs } = await measureImage(image);
    t.diagnostic(`${image}: ${bytes} bytes, without Node.js's executable ${bytesWithoutNode}`);
    t.diagnostic(`it serves ${coldStartMs} ms after its process has started`);
    assert.ok(bytesWithoutNode < 30e6, `${bytesWithoutNode} bytes`);
    assert.ok(coldStartMs > 0 && coldStartMs < 5_000, `${coldStartMs} ms`);
  });
});

/** Runs an image with these files in /files, which go with it. */
async function runWith(image: string, contents: Readonly<Record<string, string>>, flags: readonly string[]) {
  const files = await certificateFiles(contents);
  await chmod(files.directory, 0o755);
  for (const name of Object.keys(contents)) await chmod(files.path(name), 0o644);
  const container = await runHardened(image, "--volume", `${files.directory}:/files:ro`, ...flags);
  return {
    ...container,
    async [Symbol.asyncDispose]() {
      await container[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

interface ImageConfig {
  readonly Labels: Readonly<Record<string, string>>;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly User: string;
  readonly Env: readonly string[];
}

describe("what a build gets to see", requireDocker(), () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "gantry-context-"));
  });
  after(() => rm(directory, { recursive: true }));

  test("secrets and installed packages stay outside, wherever they are", async () => {
    const wanted = [
      "package.json",
      "packages/worker/src/worker.ts",
      "services/greeter/src/main.ts",
      "proto/a.proto",
    ];
    const unwanted = [
      ...[".git/config", "packages/.git/config", ".npmrc", "services/greeter/.npmrc", "README.md"],
      ...[
        ".env",
        "services/greeter/.env",
        "services/greeter/.env.local",
        "packages/worker/src/.env.production",
      ],
      ...[
        "certs/ca.key",
        "services/greeter/certs/server.crt",
        "services/greeter/src/tls.key",
        "proto/tls.pem",
      ],
      ...[
        "node_modules/a/index.js",
        "packages/dev/node_modules/a/index.js",
        "services/greeter/node_modules/a.js",
      ],
    ];
    for (const path of [...wanted, ...unwanted]) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), path);
    }
    await writeFile(join(directory, ".dockerignore"), await readFile(join(ROOT, ".dockerignore")));
    const dockerfile = join(directory, "packages/context.Dockerfile");
    await writeFile(dockerfile, `FROM ${RUNTIME_IMAGE}\nCOPY . /context\n`);
    await build(directory, "--file", dockerfile, "--tag", "gantry-test/context");
    const seen = await filesOf("gantry-test/context", RUNTIME_IMAGE);
    await docker("rmi", "gantry-test/context");
    assert.deepEqual(
      seen
        .map((path) => path.replace("context/", ""))
        .filter((path) => !path.endsWith("Dockerfile"))
        .sort(),
      wanted.toSorted(),
    );
  });
});

test("`npm run image` builds by a worker's name, and names the workers that there are", async () => {
  const command = [join(ROOT, "packages/dev/run.mjs"), "image", "nobody"];
  await assert.rejects(execute(process.execPath, command), {
    code: 1,
    stderr: /no worker "nobody".*greeter, math/,
  });
});
