// `npm run certs`: certificates for development in certs/; with --force, under a new authority.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../bootstrap.mjs";
import { makeDevelopmentCertificates } from "./certificates/development.ts";

const WHY_NEW = {
  first: "A new authority",
  forced: "A new authority, as was asked for: whoever trusts the old one has to be given this one",
  ends: "A new authority, for the old one ends too soon: whoever trusts that has to be given this one",
  unusable: "A new authority, for ca.crt and ca.key could not be used",
};

try {
  const { values } = parseArgs({ options: { force: { type: "boolean" } } });
  const made = await makeDevelopmentCertificates(join(root, "certs"), { force: values.force ?? false });
  const day = (date: Date) => date.toISOString().slice(0, 10);
  const leaves = `valid to ${day(made.leavesValidTo)}`;
  console.log(`certs/ca.crt      ${made.newAuthority ? WHY_NEW[made.newAuthority] : "The same authority as before"}, valid to ${day(made.authorityValidTo)}
certs/server.crt  ${leaves}, for ${made.serverNames.join(" ")}
certs/client.crt  ${leaves}, for clients

A worker that speaks TLS, and lets in who shows a certificate of this authority:

  TLS_CERT=certs/server.crt TLS_KEY=certs/server.key TLS_CLIENT_CA=certs/ca.crt npm run worker -- greeter

A call of it:

  npx buf curl --protocol grpc --cacert certs/ca.crt --cert certs/client.crt --key certs/client.key \\
    -d '{"name": "七米"}' https://localhost:50051/greeter.v1.Greeter/SayHello`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
