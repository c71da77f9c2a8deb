// `npm run bench`: measures Gantry beside what people would use in its stead; README.md tells how.
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measureCallCost } from "./call-cost.ts";
import { measureColdStart } from "./cold-start.ts";
import { prepareContenders } from "./contenders.ts";
import { chooseCores, pinThisProcess } from "./cores.ts";
import { requireH2load } from "./h2load.ts";
import { markdown } from "./markdown.ts";
import { type BenchOptions, PARTS, type Part, readOptions, USAGE } from "./options.ts";
import { describeMachine, type Report, reportOf } from "./report.ts";
import type { Series, SeriesOptions } from "./series.ts";
import { measureThroughput } from "./throughput.ts";
import { startTraceSink } from "./trace-sink.ts";

/** How each part is run, and how many rounds suit it. */
const MEASURE: Record<
  Part,
  { rounds: number; run: (options: SeriesOptions, calls: number) => Promise<Series> }
> = {
  throughput: { rounds: 10, run: measureThroughput },
  "cold-start": { rounds: 15, run: measureColdStart },
  cost: { rounds: 10, run: (options, calls) => measureCallCost("cost", options, calls) },
  rest: { rounds: 10, run: (options, calls) => measureCallCost("rest", options, calls) },
  "shared-port": { rounds: 10, run: (options, calls) => measureCallCost("shared port", options, calls) },
};

// Servers and temporary files go when the process does, whichever way it ends.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

if (process.argv.includes("--help")) {
  console.log(USAGE);
} else {
  try {
    await bench(readOptions(process.argv.slice(2)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

async function bench({ parts, rounds, calls, results }: BenchOptions): Promise<void> {
  if (parts.some((part) => part !== "cold-start")) await requireH2load();
  await using directory = await mkdtempDisposable(join(tmpdir(), "gantry-bench-"));
  await using traceSink = await startTraceSink();
  const contenders = await prepareContenders({
    directory: directory.path,
    traceEndpoint: traceSink.endpoint,
  });
  const cores = await chooseCores();
  if (cores) await pinThisProcess(cores.load);

  const series: Series[] = [];
  for (const part of PARTS.filter((one) => parts.includes(one))) {
    const { rounds: suitable, run } = MEASURE[part];
    const options = {
      contenders: contenders[part],
      cores,
      directory: directory.path,
      rounds: rounds ?? suitable,
      report: (line: string) => console.error(line),
    };
    series.push(await run(options, calls));
  }

  const takenAt = new Date().toISOString();
  const report: Report = { takenAt, machine: describeMachine(cores), series: series.map(reportOf) };
  const file = join(results, `${takenAt.replaceAll(/[:.]/g, "-")}.json`);
  await mkdir(results, { recursive: true });
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`${markdown(report)}\n\nWritten to ${file}`);
}
