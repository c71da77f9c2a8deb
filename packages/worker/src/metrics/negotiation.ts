import type { MetricsFormat } from "./text-format.ts";

/**
 * The format that a scraper prefers by its header `Accept`. OpenMetrics is for those that name it:
 * a browser, or whoever accepts anything, gets the plain text format.
 */
export function formatFor(accept: string | undefined): MetricsFormat {
  let openMetrics = 0;
  let text = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = qualityOf(parameters);
    if (type === "application/openmetrics-text" && isVersion1(parameters)) {
      openMetrics = Math.max(openMetrics, quality);
    }
    if (type === "text/plain") text = Math.max(text, quality);
  }
  return openMetrics > 0 && openMetrics >= text ? "openmetrics" : "prometheus";
}

/** From 0 to 1; 1 where the header does not say, 0 where it says it wrong. */
function qualityOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (text === undefined) return 1;
  const quality = Number(text);
  return quality >= 0 && quality <= 1 ? quality : 0;
}

function isVersion1(parameters: readonly string[]): boolean {
  const version = parameters.find((parameter) => parameter.startsWith("version="))?.slice(8);
  return version === undefined || /^"?1\.\d+\.\d+"?$/.test(version);
}
