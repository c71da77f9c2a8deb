import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@gantry/rpc";
import { getIntrospectionQuery } from "graphql";
import { ALICE, BOB, PRINCIPALS, sha256 } from "../../../packages/worker/test/support/auth.ts";
import { temporaryFile } from "../../../packages/worker/test/support/temporary-file.ts";
import { certificateFiles, createAuthority } from "../../../test/support/certificates.ts";
import type { GraphqlAnswer } from "./support/graphql.ts";
import { connectSocket, type Failure } from "./support/sockets.ts";
import { gatewayAndWorker, JSON_BODY } from "./support/upstream.ts";

const QUERY = '{ greeterSayHello(name: "a") { reply } }';
const alice = { authorization: `Bearer ${ALICE.token}` };

/** A gateway with an AUTH_FILE of its own before a worker that tells what credentials came with a call. */
async function guarded(env: { worker?: NodeJS.ProcessEnv; gateway?: NodeJS.ProcessEnv } = {}) {
  await using undo = new AsyncDisposableStack();
  const file = undo.use(await temporaryFile("auth.yaml", PRINCIPALS));
  const gateway = undo.use(
    await gatewayAndWorker(
      {
        greeter: {
          sayHello: (_, { metadata, principal }) => ({
            reply: `${metadata.get("authorization")} ${metadata.get("appid")} ${principal?.name}`,
          }),
        },
        math: { version: () => ({ val: "1" }) },
      },
      { ...env, gateway: { AUTH_FILE: file.path, ...env.gateway } },
    ),
  );
  const owned = undo.move();
  return {
    url: gateway.url,
    get: (path: string, headers: Record<string, string> = {}) => fetch(`${gateway.url}${path}`, { headers }),
    async graphql(query: string, headers: Record<string, string> = {}) {
      const init = { ...JSON_BODY, headers: { ...JSON_BODY.headers, ...headers } };
      const answer = await fetch(`${gateway.url}/graphql`, { ...init, body: JSON.stringify({ query }) });
      // GraphQL answers so by its specification.
      return (await answer.json()) as GraphqlAnswer;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

describe("with an AUTH_FILE of its own", () => {
  test("the gateway asks who calls, whichever way a call comes", async () => {
    await using gateway = await guarded();
    for (const path of ["/rpc?name=a", "/api/v1/greeter/a"]) {
      const refused = await gateway.get(path);
      assert.deepEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"], path);
    }
    const { errors } = await gateway.graphql(QUERY);
    assert.equal(errors?.[0]?.extensions?.code, "UNAUTHENTICATED");
    using client = connectSocket(gateway.url);
    const call = { id: "1", method: "greeter.v1.Greeter/SayHello", request: { name: "a" } };
    const { error }: Failure = await client.socket.emitWithAck("call", call);
    assert.equal(error.code, Code.Unauthenticated);
    await client.socket.emitWithAck("login", { token: ALICE.token });
    const answer = await client.socket.emitWithAck("call", call);
    assert.equal(answer.message.reply, `${alice.authorization} undefined undefined`);
    // An open method asks nobody.
    assert.equal((await gateway.get("/api/v1/math/version")).status, 200);
  });

  test("credentials go on to the worker, which may ask for them as well", async () => {
    const known = `principals: [{ name: carol, tokens: [{ sha256: ${sha256(ALICE.token)} }] }]`;
    await using file = await temporaryFile("auth.yaml", known);
    await using gateway = await guarded({ worker: { AUTH_FILE: file.path } });
    const reply = `${alice.authorization} undefined carol`;
    assert.deepEqual(await (await gateway.get("/api/v1/greeter/a", alice)).json(), { reply });
    assert.deepEqual((await gateway.graphql(QUERY, alice)).data, { greeterSayHello: { reply } });
    // Bob is known to the gateway, and not to the worker.
    const bob = { authorization: `Bearer ${BOB.token}` };
    assert.equal((await gateway.get("/api/v1/greeter/a", bob)).status, 401);
    const app = { appid: ALICE.app.id, appkey: ALICE.app.key };
    assert.equal((await gateway.get("/api/v1/greeter/a", app)).status, 401);
  });

  test("the schema is for those that reflection answers; the page, which shows none of it, for anybody", async () => {
    await using gateway = await guarded();
    const page = await gateway.get("/graphql", { accept: "text/html" });
    assert.equal(page.status, 200);
    assert.doesNotMatch(await page.text(), /greeterSayHello/);
    for (const query of [getIntrospectionQuery(), '{ __type(name: "Query") { name } }']) {
      const { data, errors } = await gateway.graphql(query);
      assert.equal(data ?? undefined, undefined);
      assert.equal(errors?.[0]?.extensions?.code, "UNAUTHENTICATED");
      assert.ok((await gateway.graphql(query, alice)).data);
    }
    const [mistake] = (await gateway.graphql("{ greeterSayHelo { reply } }")).errors ?? [];
    assert.equal(mistake?.message, 'Cannot query field "greeterSayHelo" on type "Query".');
  });

  test("a client's certificate says who calls over a socket, too", async () => {
    const authority = await createAuthority();
    const server = await authority.issue({ names: ["IP:127.0.0.1"] });
    const own = await authority.issue({ names: ["DNS:alice.example"], usages: ["client"] });
    const ca = authority.certificate;
    await using files = await certificateFiles({
      "ca.crt": ca,
      "tls.crt": server.cert,
      "tls.key": server.key,
    });
    await using gateway = await guarded({
      gateway: {
        TLS_CERT: files.path("tls.crt"),
        TLS_KEY: files.path("tls.key"),
        TLS_CLIENT_CA: files.path("ca.crt"),
      },
    });
    using client = connectSocket(gateway.url.replace("http:", "https:"), { ca, ...own });
    const call = { id: "1", method: "greeter.v1.Greeter/SayHello", request: { name: "a" } };
    const answer = await client.socket.emitWithAck("call", call);
    assert.equal(answer.message.reply, "undefined undefined undefined");
  });
});
