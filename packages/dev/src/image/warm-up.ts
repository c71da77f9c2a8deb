// `node warm-up.ts /image`, in the build of an image: runs the worker of that image once, asks for its health and
// drains it, and so fills `app/compiled` with V8's compiled code of all that took part, for later starts to read.
// Then it gives everything in the image the same time stamp: the same sources make the same layer.
//
// V8 seeds its hashes at random, and writes them down. With one seed here the same bundle makes the same files;
// a worker that reads them still has seeds of its own.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, lutimesSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [image = ""] = process.argv.slice(2);
const compiled = join(image, "app/compiled");
const command = ["--random-seed=1", "/app/main.js"];
const env = { ...process.env, NODE_COMPILE_CACHE: compiled, HOST: "127.0.0.1", PORT: "0", ADMIN_PORT: "0" };

const worker = spawn(process.execPath, command, { env, stdio: ["ignore", "pipe", "inherit"] });
const exited = once(worker, "exit");
for await (const line of createInterface(worker.stdout)) {
  const { msg, address }: { msg: string; address?: string } = JSON.parse(line);
  if (msg !== "serving" || address === undefined) continue;
  execFileSync(process.execPath, [...command, "health", address], { env, stdio: "inherit" });
  worker.kill("SIGTERM");
}
const [code] = await exited;
if (code !== 0) {
  // A service may need surroundings that a build does not have. Its image starts too, only not as fast.
  console.log(`The worker ended with ${code}: the image is made without compiled code.`);
  rmSync(compiled, { recursive: true, force: true });
}

const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
for (const path of readdirSync(image, { recursive: true, encoding: "utf8" })) {
  const file = join(image, path);
  chmodSync(file, statSync(file).isDirectory() ? 0o755 : 0o644);
  lutimesSync(file, seconds, seconds);
}
