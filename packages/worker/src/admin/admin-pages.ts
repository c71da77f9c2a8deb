import { toJsonString } from "@bufbuild/protobuf";
import { ExplainResponseSchema } from "@gantry/proto/gantry/v1/admin_pb.js";
import { Code, RpcError } from "@gantry/rpc";
import { createMetrics } from "../metrics/exposition.ts";
import type { WorkerStats } from "../metrics/worker-stats.ts";
import { explain, type ReadExplained } from "./explain.ts";

/** What the admin pages show. */
export interface AdminSubject {
  readonly name: string;
  readonly version: string;
  readonly stats: WorkerStats;
  readonly explain: ReadExplained;
}

export interface PageRequest {
  readonly query: URLSearchParams;
  /** The header `Accept`. */
  readonly accept: string | undefined;
}

export interface PageResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export type Page = (request: PageRequest) => PageResponse | Promise<PageResponse>;

/** Every admin page by its path. */
export function adminPages(subject: AdminSubject): ReadonlyMap<string, Page> {
  const { name, version, stats } = subject;
  const metrics = createMetrics(stats, { name, version });
  const pages = new Map<string, Page>([
    ["/metrics", async ({ accept }) => ({ status: 200, ...(await metrics(accept)) })],
    ["/livez", () => json(200, { status: "ok" })],
    [
      "/readyz",
      () => (stats.state === "serving" ? json(200, { status: "ok" }) : json(503, { status: stats.state })),
    ],
    ["/version", () => json(200, { name, version, node: process.version })],
    ["/explain", ({ query }) => explainPage(subject.explain, query.get("method") ?? "")],
  ]);
  const index = indexPage(subject, [...pages.keys()]);
  return pages.set("/", () => index);
}

export function json(status: number, body: unknown): PageResponse {
  return { status, contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}

function explainPage(read: ReadExplained, method: string): PageResponse {
  try {
    const body = toJsonString(ExplainResponseSchema, explain(read, method), { prettySpaces: 2 });
    return { status: 200, contentType: "application/json", body: `${body}\n` };
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== Code.NotFound) throw error;
    return json(404, { error: error.message });
  }
}

function indexPage({ name, version }: AdminSubject, paths: readonly string[]): PageResponse {
  const title = escapeHtml(`${name} ${version}`);
  const links = paths.map((path) => `<li><a href="${path}">${path}</a></li>`).join("\n");
  return {
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: `<!doctype html>\n<html lang="en">\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n${links}\n</ul>\n</html>\n`,
  };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
