/** The component `tls`, as it is rendered: its certificates' names, its settings, its arguments for Envoy. */
import assert from "node:assert/strict";
import { get as getPage } from "node:https";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { credentials, status } from "@grpc/grpc-js";
import { type Cluster, clusterOf } from "../packages/dev/src/checks/manifests/cluster.ts";
import { environmentOf } from "../packages/dev/src/checks/manifests/environment.ts";
import { get, items, text } from "../packages/dev/src/checks/manifests/fields.ts";
import { renderComponent } from "../packages/dev/src/checks/manifests/kubectl.ts";
import {
  type Authority,
  type CertificateFiles,
  certificateFiles,
  createAuthority,
} from "./support/certificates.ts";
import { needsEdge } from "./support/edge.ts";
import { type Envoy, startEnvoy } from "./support/envoy.ts";
import { KUBECTL, needsKubectl } from "./support/kubernetes.ts";
import { createNetwork, type Host, type Network } from "./support/network.ts";
import { connect, serviceOf } from "./support/plain-client.ts";
import { ROOT, startWorker } from "./support/worker-process.ts";

const greeter = serviceOf("greeter/v1/greeter.proto", "greeter.v1.Greeter");
const needs = needsEdge().skip ? needsEdge() : needsKubectl;
/** Where the manifests mount a worker's certificates. */
const MOUNTED = "/etc/gantry/tls";

suite("with the component tls", needs, () => {
  const started = new AsyncDisposableStack();
  let envoy: Envoy;
  let authority: Authority;
  let worker: Host;
  before(async () => {
    const k8s = join(ROOT, "k8s");
    const { manifests } = await renderComponent(KUBECTL, join(k8s, "base"), join(k8s, "components/tls"));
    const cluster = clusterOf(manifests);
    authority = await createAuthority();
    const network = started.use(await createNetwork());
    worker = await pod(cluster, network, "greeter", "50051");
    await pod(cluster, network, "math", "50052");
    await pod(cluster, network, "gateway", "8080");
    const files = await issued(cluster, "envoy");
    envoy = started.use(
      await startEnvoy(await network.host(), {
        args: argsOf(cluster),
        tls: Object.fromEntries(["tls.crt", "tls.key", "ca.crt"].map((name) => [name, files.path(name)])),
      }),
    );
  });
  after(() => started.disposeAsync());

  /** Certificates as cert-manager would make them. */
  async function issued(cluster: Cluster, name: string): Promise<CertificateFiles> {
    const spec = get(cluster.find("Certificate", name)?.content, "spec");
    const usages = items(get(spec, "usages")).map(text);
    const { cert, key } = await authority.issue({
      names: items(get(spec, "dnsNames")).map((each) => `DNS:${text(each)}`),
      usages: (["server", "client"] as const).filter((each) => usages.includes(`${each} auth`)),
    });
    const contents = { "tls.crt": cert, "tls.key": key, "ca.crt": authority.certificate };
    return started.use(await certificateFiles(contents));
  }

  /** A worker with the settings of its Deployment, under the names that its Service has. */
  async function pod(cluster: Cluster, network: Network, name: string, port: string): Promise<Host> {
    const [container = {}] = cluster.pods.find(({ owner }) => owner.name === name)?.containers ?? [];
    const { directory } = await issued(cluster, name);
    const settings: Record<string, string> = { HOST: "0.0.0.0", PORT: port };
    for (const [setting, value] of environmentOf(cluster, container)) {
      if (setting !== "POLICY_FILE") settings[setting] = value.replace(MOUNTED, directory);
    }
    const host = await network.host();
    started.use(await startWorker(name, settings, host.within));
    for (const each of [name, `${name}.gantry.svc.cluster.local`]) await network.name(each, [host]);
    return host;
  }

  const name = { "grpc.ssl_target_name_override": "envoy.gantry.svc.cluster.local" };
  const trusting = () => credentials.createSsl(Buffer.from(authority.certificate));

  test("callers speak TLS to Envoy, and it mutual TLS to greeter", async () => {
    using client = connect(envoy.address, greeter, trusting(), name);
    const answer = await client.call("SayHello", { name: "七米" });
    assert.equal(answer.code, status.OK, answer.details);
  });

  test("so does the gateway, to Envoy's calls and in its own", async () => {
    const page = new Promise<string>((resolve, reject) => {
      const url = `https://${envoy.address}/rpc?name=tls`;
      const servername = "envoy.gantry.svc.cluster.local";
      const request = getPage(url, { ca: authority.certificate, servername, agent: false }, (response) => {
        textOf(response).then(resolve, reject);
      });
      request.on("error", reject);
    });
    assert.equal(await page, "Response from gRPC server: Hello tls");
  });

  test("who speaks plaintext to Envoy gets no answer", async () => {
    using plain = connect(envoy.address, greeter);
    assert.equal((await plain.call("SayHello", { name: "plaintext" })).code, status.UNAVAILABLE);
  });

  test("greeter answers nobody without a certificate of the authority", async () => {
    const address = `${worker.address}:50051`;
    const own = { "grpc.ssl_target_name_override": "greeter" };
    using stranger = connect(address, greeter, trusting(), own);
    assert.equal((await stranger.call("SayHello", { name: "stranger" })).code, status.UNAVAILABLE);
    using plain = connect(address, greeter);
    assert.equal((await plain.call("SayHello", { name: "plaintext" })).code, status.UNAVAILABLE);
  });
});

/** Envoy's arguments, with those that the component adds. */
function argsOf(cluster: Cluster): string[] {
  const [container = {}] = cluster.pods.find(({ owner }) => owner.name === "envoy")?.containers ?? [];
  return items(container.args).map(text);
}
