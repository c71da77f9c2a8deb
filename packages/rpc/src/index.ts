export {
  type AttemptPolicy,
  attemptPolicyOf,
  type HedgingPolicy,
  type RetryPolicy,
} from "./attempt-policy.ts";
export type { CallOptions, Client, ClientMethod } from "./client.ts";
export { type CalledMethod, calledMethods, clientStatsOf } from "./client-stats.ts";
export { CODE_LABELS, Code, codeLabel, codeName } from "./code.ts";
export { type CurrentCall, currentCall, detached, runAsCurrentCall } from "./current-call.ts";
export { badRequest, errorInfo, type FieldViolation, retryInfo } from "./details.ts";
export { durationMs, durationOfMs, formatDurationMs, parseDurationMs } from "./duration.ts";
export { type EtcdAddress, maskEtcdAddress, parseEtcdAddress } from "./etcd-address.ts";
export { codeOfHttpStatus, httpStatusOf } from "./http-status.ts";
export { isLoopback } from "./loopback.ts";
export { Metadata, type MetadataValue } from "./metadata.ts";
export { type MethodKind, methodName, methodPath } from "./method.ts";
export { type Exemplar, LATENCY_BUCKETS, MethodStats } from "./method-stats.ts";
export { PulledStream } from "./pulled-stream.ts";
export { detail, type ErrorDetail, RpcError } from "./rpc-error.ts";
export {
  formatHostAndPort,
  type HostAndPort,
  maskServerAddress,
  parseHostAndPort,
  parseServerAddress,
  type ServerAddress,
} from "./server-address.ts";
export { UNKNOWN_AUTHORITY_CODES } from "./unknown-authority.ts";
