/** `1.24 s`, `18.3 ms`, `420 µs` */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms >= 1) return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
  return `${Math.round(ms * 1_000)} µs`;
}

export function rate(perSecond: number): string {
  if (perSecond === 0) return "0";
  return perSecond < 10 ? perSecond.toFixed(2) : perSecond.toFixed(0);
}

/** `14:03:09.120` */
export function clock(ms: number): string {
  const date = new Date(ms);
  const two = (number: number) => String(number).padStart(2, "0");
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

export function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2) ?? "";
}
