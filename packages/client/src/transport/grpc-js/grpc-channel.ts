import { Code, detached, formatDurationMs, RpcError } from "@gantry/rpc";
import * as grpc from "@grpc/grpc-js";
import { etcdTarget } from "../../etcd-target.ts";
import { closed, unusable } from "../../local-errors.ts";
import type { Target } from "../../target.ts";
import type { ConnectionOptions, Transport } from "../transport.ts";
import { GuardedCredentials } from "./connect-guard.ts";
import { REFRESH_OPTION, REFRESHED_DNS } from "./dns-resolver.ts";
import { ETCD_OPTION, WATCHED_ETCD } from "./etcd-resolver.ts";
import { GrpcCall, type GrpcHost, MAX_MESSAGE_BYTES } from "./grpc-call.ts";
import { USER_AGENT } from "./late-status.ts";
import { TlsCredentials } from "./tls-credentials.ts";
import { LOADED_XDS, XDS_OPTION, type XdsTarget } from "./xds-resolver.ts";

const DEFAULTS = {
  connectTimeoutMs: 5_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  reconnectMinMs: 200,
  reconnectMaxMs: 10_000,
  reresolveMs: 10_000,
} as const;

/** A channel of grpc-js: connections to all addresses of a target, taken in turn, made when first needed. */
export function createGrpcTransport(target: Target, options: ConnectionOptions): Transport {
  const limits = { ...DEFAULTS, ...options };
  const { credentials, compression = "none" } = options;
  const etcd = isEtcd(target) ? etcdTarget(target, options) : undefined;
  const xds: XdsTarget | undefined = isXds(target)
    ? { text: target.text, onUnusable: (reason) => refuse(() => unusable(reason)) }
    : undefined;
  const channel = new grpc.Channel(
    grpcTarget(target),
    new GuardedCredentials(
      credentials?.secure ? new TlsCredentials(credentials, target.host) : grpc.credentials.createInsecure(),
      limits.connectTimeoutMs,
    ),
    {
      // How calls are spread over what xDS tells of is for its control plane to say.
      ...(!xds && { "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }) }),
      "grpc.service_config_disable_resolution": 1,
      "grpc.keepalive_time_ms": limits.keepaliveMs,
      "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
      "grpc.initial_reconnect_backoff_ms": limits.reconnectMinMs,
      "grpc.max_reconnect_backoff_ms": limits.reconnectMaxMs,
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.primary_user_agent": USER_AGENT,
      "grpc.enable_channelz": 0,
      // What stays on this host does not go by way of a proxy, nor does what a proxy could not look up.
      "grpc.enable_http_proxy": target.local || etcd || xds ? 0 : 1,
      ...(compression === "gzip" && {
        "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
      }),
      [REFRESH_OPTION]: limits.reresolveMs,
      ...(etcd && { [ETCD_OPTION]: etcd }),
      ...(xds && { [XDS_OPTION]: xds }),
    },
  );
  const calls = new Set<GrpcCall>();
  const host: GrpcHost = { channel, connectTimeoutMs: limits.connectTimeoutMs, calls, refusal: undefined };
  const refuse = (refusal: () => RpcError) => {
    host.refusal = refusal;
    for (const call of calls) call.cancel(refusal());
  };
  return {
    call: (attempt) => new GrpcCall(host, attempt).start(),
    ready: (timeoutMs) => detached(() => ready(host, target, timeoutMs)),
    close() {
      refuse(() => closed(target.text));
      channel.close();
    },
  };
}

function grpcTarget(target: Target): string {
  if (isEtcd(target)) return `${WATCHED_ETCD}:${target.rest}`;
  if (isXds(target)) return `${LOADED_XDS}:${target.rest}`;
  return `${target.scheme === "dns" ? REFRESHED_DNS : target.scheme}:${target.rest}`;
}

function isEtcd({ scheme }: Target): boolean {
  return scheme === "etcd" || scheme === "etcds";
}

function isXds({ scheme }: Target): boolean {
  return scheme === "xds";
}

async function ready(host: GrpcHost, target: Target, timeoutMs: number | undefined): Promise<void> {
  const { channel } = host;
  const giveUpAt = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === grpc.connectivityState.READY) return;
    if (host.refusal) throw host.refusal();
    if (Date.now() >= giveUpAt) {
      throw new RpcError(
        Code.DeadlineExceeded,
        `There was no connection to ${target.text} within ${formatDurationMs(timeoutMs ?? 0)}.`,
      );
    }
    // Its timer is also what keeps the process alive while nothing but this is waited for.
    const until = Math.min(giveUpAt, Date.now() + LONGEST_WATCH_MS);
    await new Promise<void>((resolve) => channel.watchConnectivityState(state, until, () => resolve()));
  }
}

const LONGEST_WATCH_MS = 3_600_000;
