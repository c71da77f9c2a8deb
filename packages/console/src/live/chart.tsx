import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../parts/theme.tsx";
import { useStore } from "../store.ts";

export interface Series {
  readonly label: string;
  /** One for each of the times; null: a gap. */
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

const HEIGHT = 180;
const COLOURS = 8;
const WHOLE_SECONDS = 15 * 60;
const MOST_LABELS = 4;

/** Lines over the last 15 minutes. It has its place before it has data, so that nothing moves. */
export function Chart({ title, times, series }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colours = useStore(theme);
  const labels = series.map(({ label }) => label).join("\n");

  useEffect(() => {
    const parent = place.current;
    if (!parent) return;
    const made = new uPlot(optionsOf(parent, labels === "" ? [] : labels.split("\n")), [[]], parent);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT }));
    observer.observe(parent);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw();
    dark.addEventListener("change", redraw);
    return () => {
      dark.removeEventListener("change", redraw);
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [labels, colours]);

  useEffect(() => {
    // uPlot's lists may be changed; it does not.
    plot.current?.setData([times, ...series.map(({ values }) => values)] as uPlot.AlignedData, false);
    const last = times.at(-1) ?? 0;
    plot.current?.setScale("x", { min: last - WHOLE_SECONDS, max: last });
  });

  return (
    <figure class="card chart">
      <figcaption>{title}</figcaption>
      <div class="plot" ref={place} role="img" aria-label={spoken(title, series)} />
      <ul class="legend">
        {series.slice(0, MOST_LABELS).map(({ label }, index) => (
          <li key={label} class={`line-${index % COLOURS}`}>
            {label}
          </li>
        ))}
        {series.length > MOST_LABELS && <li class="others">{series.length - MOST_LABELS} more</li>}
        {series.length === 0 && <li class="others">nothing was called</li>}
      </ul>
    </figure>
  );
}

function optionsOf(parent: HTMLElement, labels: readonly string[]): uPlot.Options {
  const colour = (name: string) => () => getComputedStyle(parent).getPropertyValue(name);
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width: parent.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, __, max) => [0, Math.max(max * 1.1, MIN_TOP)] },
    },
    series: [
      {},
      ...labels.map((label, index) => ({
        label,
        stroke: colour(`--line-${index % COLOURS}`),
        width: 1.5,
        points: { show: false },
      })),
    ],
    axes: [
      { ...axis, space: 70, values: (_, seconds) => seconds.map(timeOfDay) },
      { ...axis, size: 44 },
    ],
  };
}

/** So that a chart of nothing has a scale. */
const MIN_TOP = 0.1;

function timeOfDay(seconds: number): string {
  return new Date(seconds * 1_000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function spoken(title: string, series: readonly Series[]): string {
  const last = series
    .slice(0, MOST_LABELS)
    .map(({ label, values }) => `${label} ${(values.at(-1) ?? 0).toFixed(2)}`);
  return [title, ...last].join("; ");
}
