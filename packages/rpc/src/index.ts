export type { CallOptions, Client, ClientMethod } from "./client.ts";
export { CODE_LABELS, Code, codeLabel, codeName } from "./code.ts";
export { badRequest, errorInfo, type FieldViolation, retryInfo } from "./details.ts";
export { durationMs, durationOfMs, formatDurationMs, parseDurationMs } from "./duration.ts";
export { codeOfHttpStatus, httpStatusOf } from "./http-status.ts";
export { Metadata, type MetadataValue } from "./metadata.ts";
export { type MethodKind, methodName, methodPath } from "./method.ts";
export { detail, type ErrorDetail, RpcError } from "./rpc-error.ts";
