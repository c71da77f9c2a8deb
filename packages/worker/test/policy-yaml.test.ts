import assert from "node:assert/strict";
import { test } from "node:test";
import { create, equals, type MessageInitShape } from "@bufbuild/protobuf";
import { parseYaml } from "../src/config/yaml-file.ts";
import { messageOf } from "../src/config/yaml-message.ts";
import { shop } from "./support/shop.ts";

const { order } = shop();

async function read(content: string) {
  const file = await parseYaml("/etc/shop/order.yaml", content);
  const message = file.root && messageOf(order, "order", file.root, file.report);
  return { message, problems: file.problems() };
}

async function reads(content: string, expected: MessageInitShape<typeof order>): Promise<void> {
  const { message, problems } = await read(content);
  assert.deepEqual(problems, []);
  assert.ok(
    message && equals(order, message, create(order, expected)),
    `${content} was read as something else`,
  );
}

async function refuses(content: string, ...problems: string[]): Promise<void> {
  assert.deepEqual((await read(content)).problems, problems);
}

test("scalars, enums, lists, maps and messages are read by the descriptor", async () => {
  await reads("name: 七米", { name: "七米" });
  await reads("amount: 9223372036854775807", { amount: 9223372036854775807n });
  await reads("weight: 2", { weight: 2 });
  await reads("weight: 0.5", { weight: 0.5 });
  await reads("express: true", { express: true });
  await reads("colour: RED", { colour: 3 });
  await reads("tags: [a, 'true']", { tags: ["a", "true"] });
  await reads("notes: { a: b, c: d }", { notes: { a: "b", c: "d" } });
  await reads("seal: AQI=", { seal: new Uint8Array([1, 2]) });
  await reads("nickname: 米米", { nickname: "米米" });
  await reads("due: 2026-01-02T03:04:05Z", {
    due: { seconds: 1767323045n },
  });
  await reads("buyer: { first_name: 七米, parent: { firstName: 六米 } }", {
    buyer: {
      firstName: "七米",
      parent: { firstName: "六米" },
    },
  });
  await reads("others: [{ first_name: 七米 }]", {
    others: [{ firstName: "七米" }],
  });
  await reads("by_floor: { 3: { first_name: 七米 } }", {
    byFloor: { 3: { firstName: "七米" } },
  });
  await reads("user_id: 7", { whoAsks: { case: "userId", value: 7 } });
});

test("durations are read as protobuf writes them, and as people do", async () => {
  const wait = (seconds: number, nanos = 0) => ({
    wait: { seconds: BigInt(seconds), nanos },
  });
  await reads("wait: 60s", wait(60));
  await reads("wait: 1.5s", wait(1, 500_000_000));
  await reads("wait: 500ms", wait(0, 500_000_000));
  await reads("wait: 2m", wait(120));
  await reads("wait: 1h", wait(3_600));
});

test("a duration that is none is refused", async () => {
  const expected = "expected a duration such as 500ms, 2s, 1m or 1h";
  await refuses("wait: 2 parsecs", `order.yaml:1: order.wait is "2 parsecs": ${expected}`);
  await refuses("wait: 60", `order.yaml:1: order.wait is 60: ${expected}`);
  await refuses("wait: -1s", `order.yaml:1: order.wait is "-1s": ${expected}`);
  await refuses("wait: 99999999999h", `order.yaml:1: order.wait is "99999999999h": ${expected}`);
  await refuses("wait: { seconds: 60 }", `order.yaml:1: order.wait is a mapping: ${expected}`);
});

test("what is unknown, of the wrong type or out of range is refused with its line, all of it at once", async () => {
  await refuses(
    [
      "name: 7", // line 1
      "nmae: 七米",
      "amount: '7'",
      "user_id: -1",
      "express: yes",
      "colour: BLUE",
      "tags: a", // line 7
      "notes: [a]",
      "buyer:",
      "  first_name: { a: b }",
      "  age: 7",
      "others:",
      "  - first_name: 七米",
      "  - first_name: 7", // line 14
      "weight:",
      "due: tomorrow",
    ].join("\n"),
    "order.yaml:1: order.name is 7: expected text",
    'order.yaml:2: order has no field "nmae": expected one of name, amount, colour, seal, tags, notes, buyer, user_id, guest, nickname, express, weight, wait, due, others, by_floor, mark',
    'order.yaml:3: order.amount is "7": expected a whole number of 64 bits',
    "order.yaml:4: order.user_id is -1: expected a whole number from 0 to 4294967295",
    'order.yaml:5: order.express is "yes": expected true or false',
    'order.yaml:6: order.colour is "BLUE": expected one of NONE, RED',
    'order.yaml:7: order.tags is "a": expected a list',
    "order.yaml:8: order.notes is a list: expected a mapping",
    "order.yaml:10: order.buyer.first_name is a mapping: expected text",
    'order.yaml:11: order.buyer has no field "age": expected one of first_name, parent',
    "order.yaml:14: order.others[1].first_name is 7: expected text",
    "order.yaml:15: order.weight is empty: expected a number",
    'order.yaml:16: order.due is "tomorrow": expected google.protobuf.Timestamp as protobuf\'s JSON writes it',
  );
});

test("an enum goes by its name only", async () => {
  await refuses("colour: 3", "order.yaml:1: order.colour is 3: expected one of NONE, RED");
});

test("the key of a map has to be of its type", async () => {
  const { message, problems } = await read("by_floor: { cellar: { first_name: 七米 } }");
  assert.equal(message, undefined);
  assert.match(problems.join(), /^order\.yaml:1: order does not fit: .*by_floor.*/);
});

test("a field stands once, by whichever name, and of a oneof only one does", async () => {
  await refuses("name: a\nname: b", 'order.yaml:2: "name" stands here a second time: expected it once');
  await refuses(
    "buyer: { firstName: a, first_name: b }",
    "order.yaml:1: order.buyer has firstName and first_name, which exclude each other: expected one of them",
  );
  await refuses(
    "user_id: 7\nguest: { first_name: 七米 }",
    "order.yaml:2: order has user_id and guest, which exclude each other: expected one of them",
  );
});

test("what is no YAML, or more than one document, is refused with its line", async () => {
  assert.match((await read("name: a\nbuyer: [")).problems.join(), /^order\.yaml:2: /);
  assert.match((await read("name: a\n---\nname: b")).problems.join(), /^order\.yaml:2: .*multiple documents/);
  assert.match(
    (await read("name: a\nnickname: !secret b")).problems.join(),
    /^order\.yaml:2: Unresolved tag: !secret/,
  );
  assert.match((await read("[a]: b")).problems.join(), /^order\.yaml:1: a key is not a word/);
  await refuses(
    "七米",
    'order.yaml:1: order is "七米": expected a mapping with name, amount, colour, seal, tags, notes, buyer, user_id, guest, nickname, express, weight, wait, due, others, by_floor, mark',
  );
});

test("an alias stands for its anchor", async () => {
  const person = { firstName: "七米" };
  await reads("buyer: &who { first_name: 七米 }\nothers: [*who, *who]", {
    buyer: person,
    others: [person, person],
  });
  await refuses("buyer: *nobody", "order.yaml:1: *nobody stands for nothing that is complete before it");
  await refuses(
    "buyer: &who\n  first_name: a\n  parent: *who",
    "order.yaml:3: *who stands for nothing that is complete before it",
  );
});

test("aliases of aliases do not blow up: they count as what they stand for", async () => {
  const laughs = ["a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"];
  for (const [one, next] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"]) {
    laughs.push(`${next}: &${next} [${Array(10).fill(`*${one}`).join(", ")}]`);
  }
  await refuses(laughs.join("\n"), "order.yaml:5: the file holds too much: expected at most 20000 values");
});

test("a file that is too large, too long or too deep is refused in no time", async () => {
  const started = performance.now();
  await refuses(
    `# ${"x".repeat(1024 * 1024)}`,
    "order.yaml:1: the file is too large: expected at most 1048576 bytes",
  );
  const tags = Array.from({ length: 30_000 }, () => "a").join(", ");
  await refuses(`tags: [${tags}]`, "order.yaml:1: the file holds too much: expected at most 20000 values");
  const deep = `buyer: ${"{ parent: ".repeat(100)}{}${" }".repeat(100)}`;
  await refuses(deep, "order.yaml:1: the file nests too deeply: expected at most 64 levels");
  assert.match((await read("[".repeat(20_000))).problems.join(), /^order\.yaml:1: /);
  const keys = Array.from({ length: 15_000 }, (_, index) => `k${index}: v`).join("\n  ");
  await reads(`notes:\n  ${keys}`, {
    notes: Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`k${i}`, "v"])),
  });
  assert.ok(performance.now() - started < 10_000);
});

test("past twenty problems, only how many more there are is told", async () => {
  const { problems } = await read(Array.from({ length: 50 }, (_, index) => `unknown${index}: 1`).join("\n"));
  assert.equal(problems.length, 21);
  assert.equal(problems.at(-1), "order.yaml: and 30 more problems");
});
