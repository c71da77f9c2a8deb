import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, tls } from "@gantry/client";
import { certificateFiles, createAuthority } from "../../../test/support/certificates.ts";
import { namesOn } from "../src/transport/tls/certificate-names.ts";
import { Kitchen } from "./support/kitchen.ts";
import { kitchenWorker } from "./support/server.ts";

const authority = await createAuthority();
const ca = authority.certificate;
const server = await authority.issue({ names: ["IP:127.0.0.1"] });

/** A kitchen whose answer names who called it. */
async function kitchenThatNames({ mutual }: { mutual: boolean }) {
  const files = await certificateFiles({ "ca.crt": ca, "server.crt": server.cert, "server.key": server.key });
  const names: (readonly string[])[] = [];
  const worker = await kitchenWorker(
    {
      cook(_, { certificateNames }) {
        names.push(certificateNames);
        return {};
      },
    },
    {
      env: {
        TLS_CERT: files.path("server.crt"),
        TLS_KEY: files.path("server.key"),
        ...(mutual && { TLS_CLIENT_CA: files.path("ca.crt") }),
      },
    },
  );
  return {
    names,
    target: `127.0.0.1:${worker.port}`,
    async [Symbol.asyncDispose]() {
      await worker.stop();
      await files[Symbol.asyncDispose]();
    },
  };
}

test("a handler gets the names on the certificate of its client, by kind, on each call", async () => {
  await using worker = await kitchenThatNames({ mutual: true });
  const names = [
    "DNS:greeter.gantry.svc",
    "URI:spiffe://gantry/greeter",
    "IP:10.0.0.7",
    "email:greeter@example.com",
  ];
  const own = await authority.issue({ names, commonName: "greeter" });
  await using kitchen = createClient(Kitchen, worker.target, { credentials: tls({ ca, ...own }) });
  await kitchen.cook({});
  await kitchen.cook({});
  const expected = ["CN:greeter", ...names];
  assert.deepEqual(worker.names, [expected, expected]);
  assert.equal(worker.names[0], worker.names[1], "it is read once for a connection");
});

test("clients of one worker get each their own names", async () => {
  await using worker = await kitchenThatNames({ mutual: true });
  for (const name of ["DNS:one", "DNS:two"]) {
    const own = await authority.issue({ names: [name] });
    await using kitchen = createClient(Kitchen, worker.target, { credentials: tls({ ca, ...own }) });
    await kitchen.cook({});
  }
  assert.deepEqual(worker.names, [["DNS:one"], ["DNS:two"]]);
});

test("a certificate that nobody asked for, and so nobody verified, has no names", async () => {
  await using worker = await kitchenThatNames({ mutual: false });
  const own = await authority.issue({ names: ["DNS:admin"] });
  await using kitchen = createClient(Kitchen, worker.target, { credentials: tls({ ca, ...own }) });
  await kitchen.cook({});
  assert.deepEqual(worker.names, [[]]);
});

test("a name cannot pass for several, or for one of another kind", async () => {
  await using worker = await kitchenThatNames({ mutual: true });
  const names = ["DNS:a, DNS:admin", 'URI:spiffe://b", DNS:admin', "email:IP Address:10.0.0.1"];
  const own = await authority.issue({ names, commonName: "c, DNS:admin" });
  await using kitchen = createClient(Kitchen, worker.target, { credentials: tls({ ca, ...own }) });
  await kitchen.cook({});
  assert.deepEqual(worker.names, [["CN:c, DNS:admin", ...names]]);
});

test("kinds of name that say nothing to us are left out", () => {
  // Of a certificate, no more than what is read.
  const certificate = {
    subject: { CN: ["one", "two"] },
    subjectaltname:
      'othername:"1.2.3;UTF8:x, DNS:admin", DNS:greeter, Registered ID:1.2.3, DirName:"CN = DNS:admin"',
  } as unknown as Parameters<typeof namesOn>[0];
  assert.deepEqual(namesOn(certificate), ["CN:one", "CN:two", "DNS:greeter"]);
});
