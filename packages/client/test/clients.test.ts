import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry } from "@bufbuild/protobuf";
import type { GenService } from "@bufbuild/protobuf/codegenv2";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { Code, Metadata } from "@gantry/rpc";
import { connect, createClient } from "../src/index.ts";
import { type DishSchema, Kitchen, kitchenWorker } from "./support/worker.ts";

test("credentials of a call are asked for it, and their headers go with it", async () => {
  const seen: (string | undefined)[] = [];
  await using worker = await kitchenWorker({
    cook(dish, { metadata }) {
      seen.push(metadata.get("authorization"));
      return dish;
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  let asked = 0;
  await kitchen.cook(
    {},
    {
      async credentials({ method, target }) {
        asked += 1;
        return new Metadata([["authorization", `${method.name} ${target}`]]);
      },
    },
  );
  assert.deepEqual(seen, [`Cook ${worker.target}`]);
  assert.equal(asked, 1);
  await assert.rejects(
    kitchen.cook(
      {},
      {
        credentials() {
          throw new Error("the vault is shut");
        },
      },
    ),
    { code: Code.Unauthenticated },
  );
});

test("credentials are not sent in plaintext to another host", async () => {
  await using kitchen = createClient(Kitchen, "dns:///greeter.example:50051");
  let asked = false;
  await assert.rejects(
    kitchen.cook(
      {},
      {
        credentials() {
          asked = true;
          return new Metadata();
        },
      },
    ),
    {
      code: Code.FailedPrecondition,
      message: /dns:\/\/\/greeter\.example:50051 would get them in plaintext/,
    },
  );
  assert.ok(!asked);
});

test("several clients share a channel, and outlive each other on it", async () => {
  await using worker = await kitchenWorker();
  await using channel = connect(worker.target);
  const first = createClient(Kitchen, channel);
  const second = createClient(Kitchen, channel);
  assert.deepEqual(Object.keys(first), ["cook", "serve", "collect", "chat", "ping", "invent"]);
  await first.ping({});
  await second.ping({});
  await channel.ready();
});

test("a service may have methods called Ready and Close", async () => {
  await using channel = connect("127.0.0.1:1");
  const service = doorService();
  const door = createClient(service, "127.0.0.1:1");
  const method: (request: object) => Promise<object> = door.close;
  await assert.rejects(method({}), { code: Code.Unavailable });
  await door[Symbol.asyncDispose]();
  await assert.rejects(createClient(service, channel).ready({}), { code: Code.Unavailable });
});

/** A service whose methods are named like the controls of a client. */
function doorService() {
  const file: FileDescriptorProto = create(FileDescriptorProtoSchema, {
    name: "door.proto",
    package: "door",
    syntax: "proto3",
    messageType: [{ name: "Empty" }],
    service: [
      {
        name: "Door",
        method: ["Ready", "Close"].map((name) => ({
          name,
          inputType: ".door.Empty",
          outputType: ".door.Empty",
        })),
      },
    ],
  });
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  // Built when the test runs, so its types are said here by hand.
  return registry.getService("door.Door") as GenService<{ ready: Unary; close: Unary }>;
}

interface Unary {
  methodKind: "unary";
  input: typeof DishSchema;
  output: typeof DishSchema;
}
