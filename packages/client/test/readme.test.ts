import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { implement, startWorker } from "@gantry/worker";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const samples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);

const greeter = implement(Greeter, {
  sayHello({ name }, call) {
    call.headers.set("location", "here");
    call.trailers.set("timestamp", "now");
    return { reply: `Hello ${name}` };
  },
  async *lotsOfReplies({ name }) {
    yield { reply: `hello ${name}` };
    yield { reply: `你好 ${name}` };
  },
  async lotsOfGreetings(requests) {
    let reply = "to all:";
    for await (const { name } of requests) reply += ` ${name}`;
    return { reply };
  },
  async *bidiHello(requests) {
    for await (const { name } of requests) yield { reply: name.toUpperCase() };
  },
});

const PRINTED = [
  ["Hello 七米", "hello 七米", "你好 七米", "to all: a b", "你好吗"],
  ["name must be at least 1 characters", "here", "true"],
  ["function"],
  ['greeter.v1.Greeter/SayHello OK 1 8 {"name":"[redacted]"}', "1 14"],
  ["asked for a token"],
  ["Hello from a mock, 七米", "hello", "你好"],
  ["SayHello 14", "UNAVAILABLE", "Hello for now, 七米"],
  ["Hello 七米"],
];

test("the samples of the README run, and print what they say", async () => {
  const { port, stop } = await startWorker({
    name: "greeter",
    version: "1.2.3",
    services: [greeter],
    env: { PORT: "0", ADMIN_PORT: "0", LOG_LEVEL: "silent" },
  });
  try {
    assert.equal(samples.length, PRINTED.length);
    for (const [at, sample] of samples.entries()) {
      const program = sample.replaceAll("localhost:50051", `127.0.0.1:${port}`);
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--input-type=module-typescript", "--eval", program],
        { cwd: import.meta.dirname },
      );
      assert.deepEqual(stdout.trim().split("\n"), PRINTED[at]);
    }
  } finally {
    await stop();
  }
});
