import { Code, detached, formatDurationMs, RpcError } from "@gantry/rpc";
import * as grpc from "@grpc/grpc-js";
import { closed } from "../../local-errors.ts";
import type { Target } from "../../target.ts";
import type { ConnectionOptions, Transport } from "../transport.ts";
import { GuardedCredentials } from "./connect-guard.ts";
import { REFRESH_OPTION, REFRESHED_DNS } from "./dns-resolver.ts";
import { GrpcCall, type GrpcHost, MAX_MESSAGE_BYTES } from "./grpc-call.ts";
import { USER_AGENT } from "./late-status.ts";
import { TlsCredentials } from "./tls-credentials.ts";

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
  const channel = new grpc.Channel(
    grpcTarget(target),
    new GuardedCredentials(
      credentials?.secure ? new TlsCredentials(credentials, target.host) : grpc.credentials.createInsecure(),
      limits.connectTimeoutMs,
    ),
    {
      "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
      "grpc.service_config_disable_resolution": 1,
      "grpc.keepalive_time_ms": limits.keepaliveMs,
      "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
      "grpc.initial_reconnect_backoff_ms": limits.reconnectMinMs,
      "grpc.max_reconnect_backoff_ms": limits.reconnectMaxMs,
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.primary_user_agent": USER_AGENT,
      "grpc.enable_channelz": 0,
      // What stays on this host does not go by way of a proxy.
      "grpc.enable_http_proxy": target.local ? 0 : 1,
      ...(compression === "gzip" && {
        "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
      }),
      [REFRESH_OPTION]: limits.reresolveMs,
    },
  );
  const calls = new Set<GrpcCall>();
  const host: GrpcHost = { channel, connectTimeoutMs: limits.connectTimeoutMs, calls, closed: false };
  return {
    call: (attempt) => new GrpcCall(host, attempt).start(),
    ready: (timeoutMs) => detached(() => ready(channel, target, timeoutMs)),
    close() {
      host.closed = true;
      for (const call of calls) call.cancel(closed(target.text));
      channel.close();
    },
  };
}

function grpcTarget({ scheme, rest }: Target): string {
  return `${scheme === "dns" ? REFRESHED_DNS : scheme}:${rest}`;
}

async function ready(channel: grpc.Channel, target: Target, timeoutMs: number | undefined): Promise<void> {
  const giveUpAt = timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + timeoutMs;
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === grpc.connectivityState.READY) return;
    if (state === grpc.connectivityState.SHUTDOWN) throw closed(target.text);
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
