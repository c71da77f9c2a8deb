import type { FigureReport, Machine, Report, SeriesReport } from "./report.ts";

/** A report as Markdown, to be read in a terminal and pasted where it is needed. */
export function markdown({ machine, series }: Report): string {
  return [about(machine), ...series.map(section), LEGEND].join("\n\n");
}

const LEGEND =
  "Figures are medians of the rounds; half of the rounds lie within the spread. " +
  "A ratio is to the first server: the median of the ratios within each round, and their spread.";

function about({ cpu, cores, memoryGiB, system, node, pinned }: Machine): string {
  const where = pinned
    ? `servers on core ${pinned.server}, load on core ${pinned.load}`
    : "nothing pinned, for there is no second core or no taskset";
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node.js ${node}; ${where}.`;
}

function section({ name, conditions, figures, servers }: SeriesReport): string {
  const head = ["server", ...figures.flatMap(({ title }) => [title, "spread", "ratio"])];
  const rows = servers.map((server) => [
    server.name,
    ...figures.flatMap(({ key }) => cells(server.figures[key])),
  ]);
  const descriptions = servers.map((server) => `- ${server.name}: ${server.description}.`);
  return [`### ${name}`, conditions, table([head, ...rows]), descriptions.join("\n")].join("\n\n");
}

function cells(figure: FigureReport | undefined): string[] {
  if (!figure) return ["–", "–", "–"];
  const { median, lowerQuartile, upperQuartile, ratio } = figure;
  return [
    number(median),
    `${number(lowerQuartile)} – ${number(upperQuartile)}`,
    ratio === undefined
      ? "–"
      : `${ratio.median.toFixed(3)} (${ratio.lowerQuartile.toFixed(2)} – ${ratio.upperQuartile.toFixed(2)})`,
  ];
}

/** With three digits that mean something, or all of those before the point. */
function number(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The first row is the head. Numbers stand at the right, the first column at the left. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => {
    const padded = widths.map((width, column) => {
      const cell = row[column] ?? "";
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => "-".repeat(width + 1) + (column === 0 ? "-" : ":"));
  const [head = [], ...body] = rows;
  return [line(head), `|${rule.join("|")}|`, ...body.map(line)].join("\n");
}
