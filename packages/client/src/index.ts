/** The client kit: typed clients, interceptors, credentials. */
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
export type { ClientCall, ClientInterceptor, ClientNext, ClientResponse } from "./interceptor.ts";
export type { ConnectionOptions } from "./transport/transport.ts";
