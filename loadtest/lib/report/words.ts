/** Figures as people read them. */

export function milliseconds(ms: number): string {
  if (ms === 0) return "0 ms";
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(ms >= 10_000 ? 1 : 2)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

export function percent(ratio: number): string {
  if (ratio === 0) return "0 %";
  return ratio < 0.001 ? "< 0.1 %" : `${(ratio * 100).toFixed(1)} %`;
}

export function whole(number: number): string {
  return Math.round(number)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

export function rate(perSecond: number): string {
  return perSecond >= 100 ? whole(perSecond) : `${Number(perSecond.toFixed(1))}`;
}

/** Rows as columns of text: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
