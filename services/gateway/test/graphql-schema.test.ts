import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { Math as MathService } from "@gantry/proto/math/v1/math_pb.js";
import { printSchema, printType, validateSchema } from "graphql";
import { createSchema } from "../src/graphql/schema.ts";
import { contract } from "./support/contracts.ts";
import { graphqlFor } from "./support/graphql.ts";
import { Menu, menu } from "./support/services.ts";

const Other = contract("other.proto", "other.v1.Menu");
const NO_RESOLVERS = {
  one: () => Promise.reject(new Error("not called")),
  many: () => {
    throw new Error("not called");
  },
};

describe("the schema", () => {
  test("has methods without side effects as queries, others as mutations, streams as subscriptions", () => {
    const schema = createSchema([Greeter, MathService], NO_RESOLVERS);
    const fieldsOf = (type: ReturnType<typeof schema.getQueryType>) => Object.keys(type?.getFields() ?? {});
    assert.deepEqual(fieldsOf(schema.getQueryType()), [
      "greeterSayHello",
      "mathSum",
      "mathVersion",
      "mathDivide",
    ]);
    assert.deepEqual(fieldsOf(schema.getMutationType()), ["greeterLotsOfGreetings", "mathAccumulate"]);
    assert.deepEqual(fieldsOf(schema.getSubscriptionType()), [
      "greeterLotsOfReplies",
      "greeterBidiHello",
      "mathFibonacci",
      "mathRunningSum",
    ]);
    assert.deepEqual(validateSchema(schema), []);
  });

  test("has a type for every message, its fields by their names in JSON", () => {
    const schema = createSchema([Menu], NO_RESOLVERS);
    const plate = schema.getType("Plate");
    assert.ok(plate);
    assert.equal(
      printType(plate)
        .replaceAll(/"""[^"]*"""\n\s*/g, "")
        .replaceAll(/\n\n+/g, "\n"),
      `type Plate {
  displayName: String!
  count: Int!
  calories: Int64!
  grains: UInt64!
  guests: UInt32!
  weight: Double!
  photo: Bytes!
  vegan: Boolean!
  heat: PlateHeat
  note: String
  sides: [Plate!]!
  sauces: [PlateSaucesEntry!]!
  seats: [PlateSeatsEntry!]!
  byCard: String
  inCents: Int64
  served: Timestamp
  takes: Duration
  extras: JSON
  waiter: String
  napkin: Napkin
  votes: [PlateVotesEntry!]!
  oldName: String! @deprecated(reason: "The contract says so.")
}`,
    );
  });

  test("keeps the names of the services that are there, when one with the same names is added", () => {
    const alone = printSchema(createSchema([Menu], NO_RESOLVERS)).split("\n");
    const schema = createSchema([Menu, Other], NO_RESOLVERS);
    const both = new Set(printSchema(schema).split("\n"));
    assert.deepEqual(
      alone.filter((line) => !both.has(line)),
      [],
    );
    assert.deepEqual(validateSchema(schema), []);
    assert.ok(both.has("  otherV1MenuLook(of: OtherV1PlateInput2Input): OtherV1Int64"));
  });

  test("is there even for services without a method that is a query", () => {
    const schema = createSchema([contract("acts.proto", "acts.v1.Acts")], NO_RESOLVERS);
    assert.deepEqual(validateSchema(schema), []);
    assert.deepEqual(Object.keys(schema.getMutationType()?.getFields() ?? {}), ["actsAct"]);
  });
});

describe("values", () => {
  let graphql: Awaited<ReturnType<typeof graphqlFor>>;
  before(async () => {
    graphql = await graphqlFor(menu({ look: (plate: object) => plate, close: () => ({}) }));
  });
  after(() => graphql[Symbol.asyncDispose]());

  const ALL = {
    displayName: "七米",
    count: -2147483648,
    calories: "-9223372036854775808",
    grains: "18446744073709551615",
    guests: 4294967295,
    weight: "NaN",
    photo: "AAH/",
    vegan: true,
    heat: "HEAT_HOT",
    note: "",
    sides: [{ displayName: "a", sides: [{ displayName: "b" }] }],
    sauces: [{ key: "__proto__", value: { displayName: "c" } }],
    seats: [{ key: -7, value: "d" }],
    inCents: "5",
    served: "2026-01-31T12:00:00.500Z",
    takes: "1.500s",
    extras: { a: [1, null, { b: "c" }] },
    waiter: "e",
    napkin: { _: true },
    votes: [{ key: true, value: "3" }],
  };
  const SELECTION = `
    displayName count calories grains guests weight photo vegan heat note
    sides { displayName sides { displayName } } sauces { key value { displayName } } seats { key value }
    inCents served takes extras waiter napkin { _ } votes { key value }`;

  test("of every type go there and come back, by variables", async () => {
    const names = Object.keys(ALL);
    const types: Record<string, string> = {
      count: "Int",
      calories: "Int64",
      grains: "UInt64",
      guests: "UInt32",
      weight: "Double",
      photo: "Bytes",
      vegan: "Boolean",
      heat: "PlateHeat",
      sides: "[PlateInput!]",
      sauces: "[PlateSaucesEntryInput!]",
      seats: "[PlateSeatsEntryInput!]",
      inCents: "Int64",
      served: "Timestamp",
      takes: "Duration",
      extras: "JSON",
      napkin: "NapkinInput",
      votes: "[PlateVotesEntryInput!]",
    };
    const variables = names.map((name) => `$${name}: ${types[name] ?? "String"}`);
    const args = names.map((name) => `${name}: $${name}`);
    const query = `query (${variables.join(", ")}) { menuLook(${args.join(", ")}) { ${SELECTION} } }`;
    const { data, errors } = await graphql.ask(query, ALL);
    assert.equal(errors, undefined);
    assert.deepEqual(data?.menuLook, ALL);
  });

  test("of every type go there and come back, as they stand in a document", async () => {
    const query = `{ menuLook(
      calories: -9223372036854775808, grains: 18446744073709551615, guests: 4294967295, weight: 1.5, heat: HEAT_HOT,
      seats: [{ key: -7, value: "d" }], extras: { a: [1, null, { b: "c" }] }, served: "2026-01-31T12:00:00Z"
    ) { calories grains guests weight heat seats { key value } extras served byCard note napkin { _ } } }`;
    const { data, errors } = await graphql.ask(query);
    assert.equal(errors, undefined);
    assert.deepEqual(data?.menuLook, {
      calories: "-9223372036854775808",
      grains: "18446744073709551615",
      guests: 4294967295,
      weight: 1.5,
      heat: "HEAT_HOT",
      seats: [{ key: -7, value: "d" }],
      extras: { a: [1, null, { b: "c" }] },
      served: "2026-01-31T12:00:00Z",
      byCard: null,
      note: null,
      napkin: null,
    });
  });

  test("that are not set are zero, where the contract has no other way to say so", async () => {
    const { data } = await graphql.ask(
      "{ menuLook { displayName count calories vegan heat sides { count } } }",
    );
    const expected = {
      displayName: "",
      count: 0,
      calories: "0",
      vegan: false,
      heat: "HEAT_UNSPECIFIED",
      sides: [],
    };
    assert.deepEqual(data?.menuLook, expected);
  });

  test("of a message without fields have one in its place", async () => {
    assert.deepEqual((await graphql.ask("mutation { menuClose { _ } }")).data, { menuClose: { _: true } });
  });

  for (const [argument, words] of [
    ["count: 2147483648", /32-bit/],
    ["calories: 9223372036854775808", /Int64 cannot be "9223372036854775808"/],
    ["grains: -1", /UInt64 cannot be/],
    ["guests: 4294967296", /UInt32 cannot be/],
    ['weight: "heavy"', /Double cannot be/],
    ['photo: "%"', /Bytes cannot be/],
    ['served: "today"', /Timestamp cannot be/],
    ['takes: "long"', /Duration cannot be/],
    ["heat: HEAT_COLD", /does not exist in "PlateHeat"/],
    ['byCard: "a", inCents: 1', /oneof/],
    ["colour: 7", /Unknown argument/],
  ] as const) {
    test(`are refused where they are none: ${argument}`, async () => {
      const { errors } = await graphql.ask(`{ menuLook(${argument}) { count } }`);
      assert.match(errors?.[0]?.message ?? "", words);
    });
  }

  test("that lost digits on their way are refused rather than taken for others", async () => {
    const query = "query ($calories: Int64) { menuLook(calories: $calories) { calories } }";
    const answer = await graphql.post(`{"query":"${query}","variables":{"calories":9223372036854775807}}`);
    assert.match(await answer.text(), /lost digits on its way: expected it as text/);
  });
});
