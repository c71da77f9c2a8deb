/** The client kit: typed clients, interceptors, credentials. */
import { setInstanceSource } from "./transport/instance-source.ts";

export { type Channel, type Connection, connect } from "./channel.ts";
export { type ClientOptions, type ConnectedClient, createClient, type ServiceClient } from "./client.ts";
export {
  type CallCredentials,
  type ChannelCredentials,
  type ClientCallOptions,
  type CredentialsRequest,
  insecure,
  type TlsOptions,
  tls,
} from "./credentials.ts";
export { connectionFailure } from "./failure.ts";
export type { ClientCall, ClientInterceptor, ClientNext, ClientResponse } from "./interceptor.ts";
export { type AppKey, appKey } from "./interceptors/app-key.ts";
export {
  type FallbackEvent,
  type FallbackOptions,
  fallback,
  type StandIn,
  type StandIns,
} from "./interceptors/fallback.ts";
export { type HedgingOptions, hedging } from "./interceptors/hedging.ts";
export {
  type CallLogEntry,
  type CallLogger,
  type LoggedMessages,
  type LoggingOptions,
  logging,
} from "./interceptors/logging.ts";
export { type MockAnswer, type MockAnswers, type MockOptions, mock } from "./interceptors/mock.ts";
export type { MockCall } from "./interceptors/mocked-call.ts";
export { type RetryOptions, retry } from "./interceptors/retry.ts";
export { type RetryBudget, type RetryBudgetOptions, retryBudget } from "./interceptors/retry-budget.ts";
export type { SecretOptions } from "./interceptors/secrets.ts";
export { type TokenOptions, token } from "./interceptors/token.ts";
export type { ExpiringToken, TokenFunction } from "./interceptors/token-cache.ts";
export type { ConnectionOptions } from "./transport/transport.ts";

// Who has no etcd target does not load it.
setInstanceSource(async () => {
  const { InstanceWatch } = await import("./etcd/instance-watch.ts");
  return (target, listener) => new InstanceWatch(target, listener);
});
