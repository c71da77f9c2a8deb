import assert from "node:assert/strict";
import { test } from "node:test";
import { loadedModules } from "../../../test/support/loaded-modules.ts";

test("Express, GraphQL and Socket.IO are loaded by the first request for them", async () => {
  using loaded = loadedModules();
  const { gatewayBefore, JSON_BODY } = await import("./support/upstream.ts");
  await using gateway = await gatewayBefore({});
  assert.equal(loaded.has("/node_modules/express/"), false);
  assert.equal((await fetch(gateway.url)).status, 200);
  assert.ok(loaded.has("/node_modules/express/"));
  assert.equal(loaded.has("/node_modules/graphql"), false);
  assert.equal(loaded.has("/node_modules/socket.io/"), false);

  const query = { ...JSON_BODY, body: '{"query":"{ __typename }"}' };
  assert.deepEqual(await (await fetch(`${gateway.url}/graphql`, query)).json(), {
    data: { __typename: "Query" },
  });
  assert.ok(loaded.has("/node_modules/graphql-yoga/"));
  assert.equal((await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`)).status, 200);
  assert.ok(loaded.has("/node_modules/socket.io/"));
});
