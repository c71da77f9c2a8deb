// `npm test`: the checks, then every test. With arguments, such as a file or --test-name-pattern, only the
// tests that they name.
import { availableParallelism } from "node:os";
import { checkAll } from "./checks/all.ts";
import { runHere } from "./checks/tools.ts";

const TESTS = ["{packages,services}/*/test/**/*.test.ts", "{bench,test}/**/*.test.ts"];

/** A test that hangs is a failure, not a wait … */
const TEST_TIMEOUT_MS = 2 * 60_000;
/** … and so are tests that pass, but leave open what keeps their process alive. A whole run has 15 minutes. */
const RUN_TIMEOUT_MS = 14 * 60_000;

const args = process.argv.slice(2);
const namesFiles = args.some((argument) => argument.endsWith(".ts"));
const checked = args.length > 0 || (await checkAll());
// Most of a test's time is spent waiting for a process or a port.
const concurrency = Math.max(2, availableParallelism());
const tested = await runHere({
  command: process.execPath,
  args: [
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...args,
    ...(namesFiles ? [] : TESTS),
  ],
  timeoutMs: RUN_TIMEOUT_MS,
});
if (!checked) console.error("The checks found problems: they stand above the tests.");
process.exitCode = tested || (checked ? 0 : 1);
