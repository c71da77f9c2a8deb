import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { Code } from "@gantry/rpc";
import { ServerCredentials } from "@grpc/grpc-js";
import { requireProgram } from "../../../test/support/programs.ts";
import { createClient, tls } from "../src/index.ts";
import { Kitchen, rawServer } from "./support/worker.ts";

const openssl = requireProgram("openssl", "apt-get install openssl");
const REPLY = Buffer.alloc(0);

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const folder = mkdtempSync(join(tmpdir(), "gantry-tls-"));
after(() => rmSync(folder, { recursive: true }));

/** A certificate authority, and what it signs. */
function authority(name: string) {
  const run = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("req", "-x509", ...key, "-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${name}`);
  return {
    ca: readFileSync(join(folder, `${name}.crt`)),
    sign(subject: string, names: string, days = "1"): Certificate {
      const file = `${name}-${subject}`;
      writeFileSync(join(folder, `${file}.ext`), `subjectAltName=${names}`);
      run("req", ...key, "-keyout", `${file}.key`, "-out", `${file}.csr`, "-subj", `/CN=${subject}`);
      const by = ["-CA", `${name}.crt`, "-CAkey", `${name}.key`, "-CAcreateserial"];
      run(
        "x509",
        "-req",
        "-in",
        `${file}.csr`,
        ...by,
        "-days",
        days,
        "-extfile",
        `${file}.ext`,
        "-out",
        `${file}.crt`,
      );
      return {
        cert: readFileSync(join(folder, `${file}.crt`)),
        key: readFileSync(join(folder, `${file}.key`)),
      };
    },
  };
}

function serverOf({ cert, key }: Certificate, clientCa?: Buffer) {
  const pair = { cert_chain: cert, private_key: key };
  return rawServer(REPLY, ServerCredentials.createSsl(clientCa ?? null, [pair], clientCa !== undefined));
}

test("a server that the authority vouches for is called, by address and by name", openssl, async () => {
  const { ca, sign } = authority("ours");
  await using server = await serverOf(sign("server", "IP:127.0.0.1,DNS:kitchen"));
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on("warning", onWarning);
  await using byAddress = createClient(Kitchen, server.target, { credentials: tls({ ca }) });
  await byAddress.cook({});
  await using byName = createClient(Kitchen, server.target, {
    credentials: tls({ ca, serverName: "kitchen" }),
  });
  await byName.cook({});
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
});

test(
  "a server of another name, another authority or an expired certificate is not called",
  openssl,
  async () => {
    const { ca, sign } = authority("mine");
    const { ca: other } = authority("theirs");
    await using server = await serverOf(sign("server", "DNS:kitchen"));
    await using expired = await serverOf(sign("expired", "DNS:kitchen", "0"));
    const refusals = [
      { target: server.target, options: { ca }, message: /IP: 127\.0\.0\.1 is not in the cert's list/ },
      {
        target: server.target,
        options: { ca, serverName: "pantry" },
        message: /Host: pantry\. is not in the cert's altnames: DNS:kitchen/,
      },
      {
        target: server.target,
        options: { ca: other, serverName: "kitchen" },
        message: /unable to verify the first certificate|self.signed/,
      },
      { target: expired.target, options: { ca, serverName: "kitchen" }, message: /certificate has expired/ },
    ];
    for (const { target, options, message } of refusals) {
      await using kitchen = createClient(Kitchen, target, { credentials: tls(options) });
      await assert.rejects(kitchen.cook({}), { code: Code.Unavailable, message });
    }
  },
);

test("a server that asks for a certificate gets the client's own", openssl, async () => {
  const { ca, sign } = authority("both");
  await using server = await serverOf(sign("server", "IP:127.0.0.1"), ca);
  const client = sign("client", "DNS:client");
  await using welcome = createClient(Kitchen, server.target, { credentials: tls({ ca, ...client }) });
  await welcome.cook({});
  await using stranger = createClient(Kitchen, server.target, { credentials: tls({ ca }) });
  await assert.rejects(stranger.cook({}), { code: Code.Unavailable });
});

test("a plaintext server is found out by a client that wants TLS", openssl, async () => {
  await using server = await rawServer(REPLY);
  await using kitchen = createClient(Kitchen, server.target, { credentials: tls() });
  await assert.rejects(kitchen.cook({}), { code: Code.Unavailable });
});

test("a server that says nothing once the connection is secured is given up in time", openssl, async () => {
  const { ca, sign } = authority("silent");
  const silent = createTlsServer({ ...sign("server", "IP:127.0.0.1"), ALPNProtocols: ["h2"] }, (socket) =>
    socket.resume().on("error", () => {}),
  );
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  {
    await using kitchen = createClient(Kitchen, `127.0.0.1:${port}`, {
      credentials: tls({ ca }),
      connectTimeoutMs: 200,
      reconnectMinMs: 20,
    });
    const [socket] = await Promise.all([
      once(silent, "secureConnection").then(([secured]) => secured),
      assert.rejects(kitchen.cook({}), { code: Code.Unavailable }),
    ]);
    if (!socket.closed) await once(socket, "close");
  }
  silent.close();
});

test("a certificate without its key, or a key without its certificate, is a mistake", () => {
  assert.throws(() => tls({ cert: "…" }), { message: /`cert` alone: expected `key` beside it/ });
  assert.throws(() => tls({ key: "…" }), { message: /`key` alone: expected `cert` beside it/ });
});
