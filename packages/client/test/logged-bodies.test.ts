import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clone,
  create,
  createFileRegistry,
  createRegistry,
  type JsonObject,
  type Message,
} from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  type Any,
  anyPack,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_any,
  file_google_protobuf_struct,
} from "@bufbuild/protobuf/wkt";
import { type CallLogEntry, createClient, type LoggingOptions, logging, mock } from "../src/index.ts";
import { all } from "./support/all.ts";
import { loggedKitchen } from "./support/logged-kitchen.ts";
import { DishSchema, Kitchen } from "./support/worker.ts";

const BODIES = { requestBodies: true, responseBodies: true };

test("bodies are there when they are asked for, each direction by itself, as protobuf JSON", async () => {
  const soup = { name: "soup", filling: new Uint8Array([1, 2]), sides: [{ count: 1 }] };
  const json = '{"name":"soup","filling":"AQI=","sides":[{"count":1}]}';
  await using requests = await loggedKitchen({}, { requestBodies: true });
  await requests.kitchen.cook(soup);
  await all(requests.kitchen.chat([soup, { count: 2 }]));
  assert.deepEqual(
    requests.entries.map(({ request, response }) => [request.bodies, response.bodies]),
    [
      [[json], undefined],
      [[json, '{"count":2}'], undefined],
    ],
  );
  await using responses = await loggedKitchen({}, { responseBodies: true });
  await responses.kitchen.cook(soup);
  await all(responses.kitchen.serve({ count: 2 }));
  assert.deepEqual(
    responses.entries.map(({ request, response }) => [request.bodies, response.bodies]),
    [
      [undefined, [json]],
      [undefined, ['{"count":1}', '{"count":2}']],
    ],
  );
});

test("bodies are cut, all messages of a direction together", async () => {
  await using logged = await loggedKitchen({}, { ...BODIES, maxBodyLength: 30 });
  const { kitchen, entries } = logged;
  await kitchen.cook({ name: "a".repeat(100) });
  await all(kitchen.serve({ count: 50 }));
  assert.deepEqual(entries[0]?.response.bodies, [`{"name":"${"a".repeat(21)}…`]);
  assert.deepEqual(entries[1]?.response.bodies, ['{"count":1}', '{"count":2}', '{"count"…']);
  assert.equal(entries[1]?.response.messages, 50);
});

test("what is redacted by its path is not logged, through messages, lists and maps", async () => {
  const redact = ["name", "sides.filling", "sauces.name", "sauces.hot.count", "sides.sides"];
  await using logged = await loggedKitchen({}, { ...BODIES, redact });
  const { kitchen, entries } = logged;
  const filling = new Uint8Array([1]);
  await kitchen.cook({
    name: "secret",
    filling,
    sides: [{ name: "public", filling }, { sides: [{ name: "secret" }] }],
    sauces: { hot: { name: "secret", count: 1 }, mild: { name: "secret", count: 2 } },
  });
  const expected = {
    name: "[redacted]",
    filling: "AQ==",
    sides: [{ name: "public", filling: "[redacted]" }, { sides: "[redacted]" }],
    sauces: { hot: { name: "[redacted]", count: "[redacted]" }, mild: { name: "[redacted]", count: 2 } },
  };
  const [entry] = entries;
  const read = (bodies: readonly string[] = []) => bodies.map((body): JsonObject => JSON.parse(body));
  assert.deepEqual(read(entry?.request.bodies), [expected]);
  assert.deepEqual(read(entry?.response.bodies), [expected]);
});

test("fields with debug_redact are never logged, wherever they are", async () => {
  const file = clone(FileDescriptorProtoSchema, Kitchen.file.proto);
  const dish = file.messageType.find(({ name }) => name === "Dish");
  for (const field of dish?.field ?? []) {
    if (field.name === "filling") field.options = create(FieldOptionsSchema, { debugRedact: true });
  }
  const marked = createFileRegistry(file, () => undefined).getService(Kitchen.typeName);
  // The same contract, but for the option.
  await using logged = await loggedKitchen({}, BODIES, marked as typeof Kitchen);
  const filling = new Uint8Array([1, 2, 3]);
  await logged.kitchen.cook({ name: "soup", filling, sides: [{ filling }], sauces: { hot: { filling } } });
  const body =
    '{"name":"soup","filling":"[redacted]","sides":[{"filling":"[redacted]"}],"sauces":{"hot":{"filling":"[redacted]"}}}';
  const [{ request, response } = assert.fail()] = logged.entries;
  assert.deepEqual([request.bodies, response.bodies], [[body], [body]]);
});

/** A service whose messages hold whatever their senders like. */
function parcelService() {
  const { MESSAGE } = FieldDescriptorProto_Type;
  const file = create(FileDescriptorProtoSchema, {
    name: "post.proto",
    package: "post.v1",
    syntax: "proto3",
    dependency: [file_google_protobuf_any.proto.name, file_google_protobuf_struct.proto.name],
    messageType: [
      {
        name: "Parcel",
        field: [
          {
            name: "content",
            jsonName: "content",
            number: 1,
            type: MESSAGE,
            typeName: ".google.protobuf.Any",
          },
          {
            name: "labels",
            jsonName: "labels",
            number: 2,
            type: MESSAGE,
            typeName: ".google.protobuf.Struct",
          },
        ],
      },
    ],
    service: [
      {
        name: "Post",
        method: [{ name: "Send", inputType: ".post.v1.Parcel", outputType: ".post.v1.Parcel" }],
      },
    ],
  });
  const known = [file_google_protobuf_any, file_google_protobuf_struct];
  const registry = createFileRegistry(file, (name) => known.find(({ proto }) => proto.name === name));
  // The types of what was described above.
  type Parcel = Message<"post.v1.Parcel"> & { content?: Any; labels?: JsonObject };
  type Send = { methodKind: "unary"; input: GenMessage<Parcel>; output: GenMessage<Parcel> };
  return registry.getService("post.v1.Post") as GenService<{ send: Send }>;
}

test("redaction reaches what is packed into Any and Struct; what cannot be written is not", async () => {
  const post = parcelService();
  const echo = mock(post, { send: (parcel) => parcel }, { enabled: true });
  const dish = create(DishSchema, { name: "secret", count: 1, sides: [{ name: "public" }] });
  const parcel = {
    content: anyPack(DishSchema, dish),
    labels: { tags: [{ key: "secret", other: 1 }], fields: "shown" },
  };
  const logged = async (options: LoggingOptions) => {
    const entries: CallLogEntry[] = [];
    const interceptors = [logging((entry) => entries.push(entry), { requestBodies: true, ...options }), echo];
    await using client = createClient(post, "127.0.0.1:1", { interceptors });
    await client.send(parcel);
    return entries[0]?.request.bodies;
  };
  const redact = ["content.name", "labels.tags.key"];
  const [body = ""] = (await logged({ redact, registry: createRegistry(DishSchema) })) ?? [];
  assert.deepEqual(JSON.parse(body), {
    content: {
      "@type": "type.googleapis.com/kitchen.v1.Dish",
      name: "[redacted]",
      count: 1,
      sides: [{ name: "public" }],
    },
    labels: { tags: [{ key: "[redacted]", other: 1 }], fields: "shown" },
  });
  assert.deepEqual(await logged({ redact }), ["[no protobuf JSON]"]);
});
