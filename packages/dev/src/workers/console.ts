import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isLoopback } from "@gantry/rpc";
import { root } from "../../bootstrap.mjs";
import { addressOf } from "./address.ts";
import type { Plan } from "./plan.ts";

/** The console of a local run. */
export interface LocalConsole {
  /** Where it is, for a browser. */
  readonly url: string;
  /** Where workers send what it shows, and the token that lets them. Undefined: the gateway speaks TLS. */
  readonly feed: { readonly url: string; readonly token: string } | undefined;
}

/** Where its page is built. */
export const CONSOLE_PAGE = join(root, "packages/console/dist");

/** How long a worker that ends tries to hand over its last spans. */
const EXPORT_TIMEOUT_MS = 1_000;
const EXPORT_EVERY_MS = 500;

/**
 * Has the gateway of a local run serve the console, and the workers send their spans to it, unless settings say
 * otherwise. It is left out where others than this machine reach the gateway and nobody has to say who they are.
 */
export function planConsole(plans: readonly Plan[]): { plans: Plan[]; console: LocalConsole | undefined } {
  const gateway = plans.find(({ worker }) => worker.name === "gateway");
  if (!gateway || !wantsConsole(gateway)) return { plans: [...plans], console: undefined };
  const secure = Boolean(gateway.env.TLS_CERT);
  const url = `${secure ? "https" : "http"}://${addressOf(gateway.host, gateway.port)}/console`;
  const feed = secure ? undefined : { url: `${url}/feed`, token: randomBytes(24).toString("base64url") };
  const settings = {
    CONSOLE: "on",
    CONSOLE_PAGE,
    CONSOLE_WORKERS: plans.map(whereabouts).join(","),
    ...(feed && { CONSOLE_FEED_TOKEN: feed.token }),
  };
  return {
    console: { url, feed },
    plans: plans.map((plan) => ({
      ...plan,
      env: {
        ...(feed && tracesTo(feed, plan.env)),
        ...(plan === gateway && settings),
        ...plan.env,
      },
    })),
  };
}

function wantsConsole({ host, env }: Plan): boolean {
  if (env.CONSOLE) return env.CONSOLE === "on";
  return isLoopback(host) || Boolean(env.AUTH_FILE);
}

function whereabouts({ worker, host, port, adminPort }: Plan): string {
  return `${worker.name}=${addressOf(host, port)}=${addressOf(host, adminPort)}`;
}

/** OpenTelemetry's settings, where none of them is set. */
function tracesTo(feed: { url: string; token: string }, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (Object.keys(env).some((name) => name.startsWith("OTEL_"))) return {};
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: feed.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${feed.token}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: String(EXPORT_TIMEOUT_MS),
    OTEL_BSP_SCHEDULE_DELAY: String(EXPORT_EVERY_MS),
    // When all workers end, the gateway may be gone before the others' last spans are there.
    OTEL_LOG_LEVEL: "NONE",
  };
}
