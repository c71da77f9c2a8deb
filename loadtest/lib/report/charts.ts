/** Charts as SVG: colours and dashes are the page's, so that they follow its theme. */

export interface Series {
  readonly name: string;
  /** One for each point; undefined leaves a gap. */
  readonly values: readonly (number | undefined)[];
  /** `a`, `b`, `c`: a colour and a dash of the page. */
  readonly look: "a" | "b" | "c";
}

interface LineChart {
  readonly title: string;
  readonly series: readonly Series[];
  /** What stands below the first and the last point. */
  readonly from: string;
  readonly to: string;
  /** A value as it stands at the axis, and in what a pointer shows. */
  readonly words: (value: number) => string;
  /** What a point is called: `10 s to 20 s`. */
  readonly pointName: (index: number) => string;
}

// In a column of this width letters have the size of the text around them; on a phone they are a little smaller.
const WIDTH = 480;
const HEIGHT = 250;
const LEFT = 72;
const RIGHT = 12;
const TOP = 12;
const BOTTOM = 28;

export function lineChart({ title, series, from, to, words, pointName }: LineChart): string {
  const points = Math.max(...series.map(({ values }) => values.length));
  const ticks = ticksUpTo(Math.max(0, ...series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const top = ticks.at(-1) ?? 1;
  const x = (index: number) => LEFT + ((WIDTH - LEFT - RIGHT) * (index + 0.5)) / points;
  const y = (value: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const lines = series.map(({ values, look }) => {
    const steps = values.map((value, index) =>
      value === undefined
        ? ""
        : `${index === 0 || values[index - 1] === undefined ? "M" : "L"}${round(x(index))} ${round(y(value))}`,
    );
    return `<path class="line ${look}" d="${steps.join("")}"/>`;
  });
  const spots = series.flatMap(({ name, values, look }) =>
    values.flatMap((value, index) =>
      value === undefined
        ? []
        : [
            `<circle class="spot ${look}" cx="${round(x(index))}" cy="${round(y(value))}" r="4">` +
              `<title>${escapeText(`${pointName(index)}: ${name} ${words(value)}`)}</title></circle>`,
          ],
    ),
  );
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(tick))}" y2="${round(y(tick))}"/>` +
      `<text x="${LEFT - 8}" y="${round(y(tick) + 5)}" text-anchor="end">${escapeText(words(tick))}</text>`,
  );
  const ends =
    `<text x="${LEFT}" y="${HEIGHT - 6}">${escapeText(from)}</text>` +
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${escapeText(to)}</text>`;
  return figure(title, svg(HEIGHT, title, [...grid, ...lines, ...spots, ends]), series);
}

interface RangeChart {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly values: readonly [number, number, number] }[];
  readonly names: readonly [string, string, string];
  readonly words: (value: number) => string;
}

const ROW = 38;
const LOOKS = ["a", "b", "c"] as const;

/** A row for each name, with three values as spots on a line. */
export function rangeChart({ title, rows, names, words }: RangeChart): string {
  const ticks = ticksUpTo(Math.max(0, ...rows.flatMap(({ values }) => values)));
  const top = ticks.at(-1) ?? 1;
  const x = (value: number) => RIGHT + ((WIDTH - 5 * RIGHT) * value) / top;
  const height = rows.length * ROW + BOTTOM;
  const grid = ticks.map(
    (tick) =>
      `<line class="grid" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="0" y2="${height - BOTTOM}"/>` +
      `<text x="${round(x(tick))}" y="${height - 8}" text-anchor="${tick === 0 ? "start" : "middle"}">${escapeText(words(tick))}</text>`,
  );
  const marks = rows.map(({ name, values }, index) => {
    const middle = index * ROW + 28;
    const spots = values.map(
      (value, which) =>
        `<circle class="spot ${LOOKS[which]}" cx="${round(x(value))}" cy="${middle}" r="5">` +
        `<title>${escapeText(`${name}: ${names[which]} ${words(value)}`)}</title></circle>`,
    );
    return (
      `<text x="${RIGHT}" y="${middle - 10}">${escapeText(name)}</text>` +
      `<line class="range" x1="${round(x(values[0]))}" x2="${round(x(values[2]))}" y1="${middle}" y2="${middle}"/>` +
      spots.toReversed().join("")
    );
  });
  const legend = names.map((name, which) => ({ name, values: [], look: LOOKS[which] ?? "a" }));
  return figure(title, svg(height, title, [...grid, ...marks]), legend);
}

function svg(height: number, title: string, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">${parts.join("")}</svg>`;
}

function figure(title: string, drawing: string, series: readonly Series[]): string {
  const legend = series
    .map(
      ({ name, look }) =>
        `<span><svg viewBox="0 0 28 10" class="key" aria-hidden="true"><path class="line ${look}" d="M0 5L28 5"/>` +
        `<circle class="spot ${look}" cx="14" cy="5" r="4"/></svg>${escapeText(name)}</span>`,
    )
    .join("");
  return `<figure><figcaption>${escapeText(title)}</figcaption><p class="legend">${legend}</p>${drawing}</figure>`;
}

/** From 0 in four or five even steps of 1, 2 or 5 times a power of ten, past the most. */
function ticksUpTo(most: number): number[] {
  if (most <= 0) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

const round = (number: number) => Number(number.toFixed(1));

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
