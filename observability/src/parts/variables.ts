/** The variables that dashboards share. Each one offers only what those before it leave. */
import type { Variable } from "./dashboard.ts";

export const NAMESPACE: Variable = {
  name: "namespace",
  label: "Namespace",
  description: "Where the workers run.",
  query: "label_values(gantry_build_info, namespace)",
};

export const WORKER: Variable = {
  name: "worker",
  label: "Worker",
  description: "The program, such as greeter. The gateway counts what it hands on as calls of its own.",
  query: 'label_values(gantry_build_info{namespace=~"$namespace"}, worker)',
};

/** What every worker serves besides: probes of its health, and the like, would drown the calls of its users. */
const OWN = 'grpc_service!~"grpc[.].*|gantry[.].*"';

export const SERVICE: Variable = {
  name: "service",
  label: "Service",
  description: "The gRPC service, such as greeter.v1.Greeter. Health, reflection and admin are left out.",
  query: `label_values(grpc_server_started_total{namespace=~"$namespace",worker=~"$worker",${OWN}}, grpc_service)`,
  all: "those that are offered",
};

export const METHOD: Variable = {
  name: "method",
  label: "Method",
  description: "Methods of that service.",
  query:
    'label_values(grpc_server_started_total{namespace=~"$namespace",worker=~"$worker",grpc_service=~"$service"}, grpc_method)',
};

export const POD: Variable = {
  name: "pod",
  label: "Pod",
  description: "Single processes.",
  query: 'label_values(gantry_build_info{namespace=~"$namespace",worker=~"$worker"}, pod)',
};
