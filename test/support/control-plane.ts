/**
 * An xDS control plane, for tests: it tells clients of `xds:///name` where to go, over the aggregated discovery
 * service in its state-of-the-world form, and tells them again when that changes.
 *
 * Source: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
 */
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { freePort } from "./free-port.ts";
import type { Message } from "./plain-client.ts";

export interface ControlPlane extends AsyncDisposable {
  /** What `GRPC_XDS_BOOTSTRAP_CONFIG` takes; `authorities` names those of `xds://authority/name`, too. */
  bootstrap(authorities?: object): string;
  /** From now on, clients of this listener, which is the name of a target, call these addresses in turn. */
  serve(listener: string, addresses: readonly string[], route?: Message): void;
  /** Resolves when a client has said that it took all that was served up to now. */
  taken(): Promise<void>;
  /** Runs it again after `kill`. */
  start(): Promise<void>;
  /** Ends it at once, as a crash would. What it served is served again when it starts. */
  kill(): void;
}

const TYPE = "type.googleapis.com/envoy";
const LISTENER = `${TYPE}.config.listener.v3.Listener`;
const ROUTES = `${TYPE}.config.route.v3.RouteConfiguration`;
const CLUSTER = `${TYPE}.config.cluster.v3.Cluster`;
const ENDPOINTS = `${TYPE}.config.endpoint.v3.ClusterLoadAssignment`;

/** One of a client's streams, by which it watches resources of all types. */
interface Stream {
  write(response: Message): void;
  on(event: "data", listener: (request: DiscoveryRequest) => void): void;
  on(event: "end", listener: () => void): void;
  on(event: "close", listener: () => void): void;
  end(): void;
}

/** The part that is looked at, as `@grpc/proto-loader` has it. */
interface DiscoveryRequest {
  readonly type_url: string;
  readonly resource_names: readonly string[];
  readonly response_nonce: string;
}

interface Watched {
  readonly names: readonly string[];
  /** The version that was sent last. */
  readonly sent: number;
}

export async function startControlPlane(): Promise<ControlPlane> {
  const port = await freePort();
  const resources = new Map(
    [LISTENER, ROUTES, CLUSTER, ENDPOINTS].map((type) => [type, new Map<string, Message>()]),
  );
  const streams = new Map<Stream, Map<string, Watched>>();
  const arrivals = new EventEmitter();
  const service = aggregatedDiscoveryService();
  let version = 0;
  let endpointsTaken = 0;
  let server: Server | undefined;

  function put(type: string, name: string, resource: Message): void {
    resources.get(type)?.set(name, { "@type": type, ...resource });
  }

  function send(stream: Stream, type: string, names: readonly string[]): void {
    streams.get(stream)?.set(type, { names, sent: version });
    const all = resources.get(type);
    stream.write({
      type_url: type,
      version_info: `${version}`,
      nonce: `${version}`,
      resources: names.flatMap((name) => all?.get(name) ?? []),
    });
  }

  function onStream(stream: Stream): void {
    const watched = new Map<string, Watched>();
    streams.set(stream, watched);
    stream.on("data", ({ type_url: type, resource_names: names, response_nonce: nonce }) => {
      const known = watched.get(type);
      if (type === ENDPOINTS && nonce) endpointsTaken = Number(nonce);
      arrivals.emit("request");
      if (names.length > 0 && `${known?.names}` !== `${names}`) send(stream, type, names);
    });
    stream.on("end", () => stream.end());
    stream.on("close", () => streams.delete(stream));
  }

  const plane: ControlPlane = {
    bootstrap: (authorities = {}) =>
      JSON.stringify({
        xds_servers: [
          {
            server_uri: `127.0.0.1:${port}`,
            channel_creds: [{ type: "insecure" }],
            server_features: ["xds_v3"],
          },
        ],
        node: { id: "test", locality: {} },
        authorities,
      }),
    serve(listener, addresses, route = {}) {
      version += 1;
      const name = listener.slice(listener.lastIndexOf("/") + 1);
      put(LISTENER, listener, { name: listener, api_listener: { api_listener: connectionManager(name) } });
      put(ROUTES, name, {
        name,
        virtual_hosts: [
          { domains: ["*"], routes: [{ match: { prefix: "" }, route: { cluster: name, ...route } }] },
        ],
      });
      put(CLUSTER, name, {
        name,
        type: "EDS",
        eds_cluster_config: { eds_config: { ads: {} } },
        lb_policy: "ROUND_ROBIN",
      });
      put(ENDPOINTS, name, { cluster_name: name, endpoints: [locality(addresses)] });
      for (const [stream, watched] of streams) {
        for (const [type, { names }] of watched)
          if (names.includes(type === LISTENER ? listener : name)) send(stream, type, names);
      }
    },
    async taken() {
      const served = version;
      while (endpointsTaken < served) await new Promise((resolve) => arrivals.once("request", resolve));
    },
    async start() {
      const started = new Server();
      started.addService(service, { StreamAggregatedResources: onStream });
      await promisify(started.bindAsync.bind(started))(
        `127.0.0.1:${port}`,
        ServerCredentials.createInsecure(),
      );
      server = started;
    },
    kill() {
      server?.forceShutdown();
      server = undefined;
      streams.clear();
    },
    async [Symbol.asyncDispose]() {
      plane.kill();
    },
  };
  await plane.start();
  return plane;
}

function connectionManager(routes: string): Message {
  const filters = `${TYPE}.extensions.filters`;
  return {
    "@type": `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
    rds: { route_config_name: routes, config_source: { ads: {} } },
    http_filters: [{ name: "router", typed_config: { "@type": `${filters}.http.router.v3.Router` } }],
  };
}

function locality(addresses: readonly string[]): Message {
  return {
    locality: { region: "here" },
    load_balancing_weight: { value: 1 },
    lb_endpoints: addresses.map((text) => {
      const [address, port] = text.split(":");
      return { endpoint: { address: { socket_address: { address, port_value: Number(port) } } } };
    }),
  };
}

/** The contracts are those that the client's package brings. */
function aggregatedDiscoveryService() {
  const protos = join(
    dirname(createRequire(import.meta.url).resolve("@grpc/grpc-js-xds/package.json")),
    "deps",
  );
  const files = [
    "service/discovery/v3/ads",
    "config/listener/v3/listener",
    "config/route/v3/route",
    "config/cluster/v3/cluster",
    "config/endpoint/v3/endpoint",
    "extensions/filters/network/http_connection_manager/v3/http_connection_manager",
    "extensions/filters/http/router/v3/router",
  ];
  const loaded = loadSync(
    files.map((file) => `envoy/${file}.proto`),
    {
      keepCase: true,
      longs: String,
      enums: String,
      defaults: true,
      oneofs: true,
      includeDirs: ["envoy-api", "xds", "googleapis", "protoc-gen-validate"].map((name) =>
        join(protos, name),
      ),
    },
  );
  const definition = loaded["envoy.service.discovery.v3.AggregatedDiscoveryService"];
  if (!definition || "format" in definition) throw new Error("There is no aggregated discovery service.");
  return definition;
}
