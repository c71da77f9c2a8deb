import { readFileSync } from "node:fs";

/** Linux counts in these whatever the machine: `USER_HZ`, 100 a second. */
const TICK_MS = 10;

/** The CPU time that a process has used, all threads together, in steps of 10 ms; undefined where there is no /proc. */
export function cpuTimeMs(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // Fields 14 and 15 of proc(5). The second is the program's name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
