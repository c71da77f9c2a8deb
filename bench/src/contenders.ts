import { hash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleWorker } from "../../packages/dev/src/bundle/bundle-worker.ts";
import type { Protocol } from "./hello.ts";
import type { Part } from "./options.ts";

const servers = join(import.meta.dirname, "../servers");

/** A server that is measured beside others. It listens on 127.0.0.1, on the port that `PORT` names. */
export interface Contender {
  /** In tables and results. */
  readonly name: string;
  /** What runs, for who reads the figures. */
  readonly description: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Its settings; nothing of the bench's own environment reaches it. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: by gRPC. */
  readonly calledBy?: Protocol;
  /** Request headers that it is called with, beside those of every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stands behind it, found at the address in `UPSTREAM`; its CPU time counts too. */
  readonly behind?: Contender;
}

export interface ContenderOptions {
  /** A directory for what has to be built. */
  readonly directory: string;
  /** Where servers that trace send their spans: `http://127.0.0.1:4318`. */
  readonly traceEndpoint: string;
}

/** Builds and lists the servers that each part measures. The first one is the reference that ratios are to. */
export async function prepareContenders(options: ContenderOptions): Promise<Record<Part, Contender[]>> {
  const bundle = join(options.directory, "greeter");
  await bundleWorker("greeter", bundle);
  const gantry = (
    name: string,
    description: string,
    env: Contender["env"],
    calls?: Pick<Contender, "calledBy" | "headers">,
  ): Contender => ({
    ...calls,
    name: `gantry, ${name}`,
    description,
    command: [process.execPath, join(bundle, "main.js")],
    env: { ADMIN_PORT: "0", LOG_LEVEL: "info", ...env },
  });
  const policyFile = { POLICY_FILE: join(servers, "gantry/policy.yaml") };
  const noQuotas = { POLICY_FILE: join(servers, "gantry/no-quotas.yaml") };
  const traces = {
    OTEL_EXPORTER_OTLP_ENDPOINT: options.traceEndpoint,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.01",
  };

  const bare: Contender = {
    name: "bare grpc-js",
    description:
      "the hello server of the documents of @grpc/grpc-js, run from its sources: no metrics, no quotas, " +
      "no logs, and no headers or trailers of its own",
    command: [process.execPath, join(servers, "grpc-js/server.cjs")],
    env: {},
  };

  const token = randomBytes(32).toString("base64");
  const authFile = { AUTH_FILE: join(options.directory, "auth.yaml") };
  const known = `{ name: bench, tokens: [{ sha256: ${hash("sha256", token, "hex")} }] }`;
  await writeFile(authFile.AUTH_FILE, `principals: [${known}]\n`);
  const withToken = { headers: { authorization: `Bearer ${token}` } };

  const greeter = gantry("gRPC beside HTTP", "the greeter's bundle on a port that is shared", policyFile);
  return {
    throughput: [
      bare,
      gantry(
        "1 % of traces",
        "the greeter's bundle with metrics, validation, a quota that decides on every call, a log line per call " +
          "and 1 % of traces exported; its replies also carry the header location and the trailers timestamp, " +
          "ratelimit-limit, ratelimit-remaining and ratelimit-reset",
        { ...policyFile, ...traces },
      ),
      gantry("no traces", "the same without traces", policyFile),
    ],
    "cold-start": [
      bare,
      gantry(
        "1 % of traces",
        "the greeter's bundle with metrics, validation, logs, 1 % of traces and the quotas of its proto",
        traces,
      ),
      gantry("no traces", "the same without traces", {}),
      gantry("policy file", "the same without traces, its quotas from a policy file", policyFile),
    ],
    cost: [
      gantry(
        "neither",
        "the greeter's bundle as in throughput, without traces and quotas, open to anybody; the token comes " +
          "with every call all the same",
        noQuotas,
        withToken,
      ),
      gantry(
        "token",
        "the same, which lets in the token alone; the log line has the principal",
        { ...noQuotas, ...authFile },
        withToken,
      ),
      gantry("quota", "the first, with a quota in memory and its three trailers", policyFile, withToken),
      gantry("token and quota", "both", { ...policyFile, ...authFile }, withToken),
    ],
    rest: [
      {
        name: "Express proxy",
        description:
          "REST through a process of its own, written plainly with Express and @grpc/grpc-js, in front of the " +
          "greeter's bundle as below; it passes on neither metadata nor deadlines, and the CPU time is that of both",
        command: [process.execPath, join(servers, "rest-proxy/server.cjs")],
        env: { NODE_ENV: "production" },
        calledBy: "rest",
        behind: greeter,
      },
      gantry("REST", "REST straight on the greeter's bundle, as in throughput without traces", policyFile, {
        calledBy: "rest",
      }),
    ],
    "shared-port": [
      gantry("gRPC alone", "the greeter's bundle with PROTOCOLS=grpc, as in throughput without traces", {
        ...policyFile,
        PROTOCOLS: "grpc",
      }),
      greeter,
    ],
  };
}
