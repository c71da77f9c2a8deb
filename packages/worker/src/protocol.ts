/** The ways by which calls come in: the label `protocol` of metrics, and the field of logs and spans. */
export type Protocol =
  | "grpc"
  | "grpc_web"
  | "connect"
  | "rest"
  | "graphql"
  | "socket_io"
  /** No network between: a client of this process. */
  | "in_process";
