// Generates the protobuf code (proto/gen) from proto/. Runs on every `npm install`, on any Node.js from 20.
//
// Contracts of other people come from their npm packages, so that they have one version and one
// source: google/api and google/rpc from google-proto-files, health from grpc-health-check,
// reflection from @grpc/reflection. buf wants them in a module, so they are copied into one.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const modules = join(root, "node_modules");
const generated = join(root, "proto/gen");
/** The file in proto/gen that tells what it was generated from. */
export const STAMP = ".stamp";

const VENDORED = {
  "google/api/annotations.proto": "google-proto-files/google/api/annotations.proto",
  "google/api/http.proto": "google-proto-files/google/api/http.proto",
  "google/rpc/code.proto": "google-proto-files/google/rpc/code.proto",
  "google/rpc/error_details.proto": "google-proto-files/google/rpc/error_details.proto",
  "google/rpc/status.proto": "google-proto-files/google/rpc/status.proto",
  "grpc/health/v1/health.proto": "grpc-health-check/proto/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto": "@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto",
  "grpc/reflection/v1alpha/reflection.proto":
    "@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto",
};

/**
 * Copies the vendored contracts below `into`.
 *
 * @param {string} into
 */
export function vendorProtos(into) {
  for (const [to, from] of Object.entries(VENDORED)) {
    mkdirSync(join(into, dirname(to)), { recursive: true });
    cpSync(join(modules, from), join(into, to));
  }
}

/**
 * The command line that runs buf, and the environment in which it finds its plugins.
 *
 * @param {string[]} args
 */
export function bufCommand(...args) {
  const bin = createRequire(join(root, "package.json")).resolve("@bufbuild/buf/bin/buf");
  const path = `${join(modules, ".bin")}${delimiter}${process.env.PATH}`;
  return { command: process.execPath, args: [bin, ...args], env: { ...process.env, PATH: path } };
}

/** Whether proto/gen is what the contracts, their options and the locked generators make. */
export function generatedIsFresh() {
  const stamp = join(generated, STAMP);
  return (
    existsSync(stamp) &&
    readFileSync(stamp, "utf8") === fingerprint() &&
    Object.keys(VENDORED).every((path) => existsSync(join(root, "proto/vendor", path)))
  );
}

/** Generates proto/gen. It is put in place whole: who reads it meanwhile sees the old one or the new one. */
export function generate() {
  const madeFrom = fingerprint();
  vendorProtos(join(root, "proto/vendor"));
  const aside = mkdtempSync(join(root, "proto/.generate-"));
  try {
    const { command, args, env } = bufCommand("generate", "--output", aside);
    execFileSync(command, args, { cwd: root, stdio: "inherit", env });
    writeFileSync(join(aside, "proto/gen", STAMP), madeFrom);
    if (existsSync(generated)) renameSync(generated, join(aside, "old"));
    renameSync(join(aside, "proto/gen"), generated);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/** What decides how code is generated; the lock file stands for the generators that are not ours. */
const GENERATORS = ["buf.yaml", "buf.gen.yaml", "packages/dev/protoc-gen-comments.mjs", "package-lock.json"];

/** A hash of everything that decides what is generated. */
function fingerprint() {
  const vendored = Object.keys(VENDORED).map((path) => join("proto/vendor", path));
  const contracts = readdirSync(join(root, "proto"), { recursive: true, encoding: "utf8" })
    .map((path) => join("proto", path))
    .filter((path) => path.endsWith(".proto") && !vendored.includes(path))
    .sort();
  const hash = createHash("sha256");
  for (const path of [...contracts, ...GENERATORS]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return hash.digest("hex");
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) generate();
