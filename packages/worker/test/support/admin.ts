import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ExplainedMethodSchema } from "@gantry/proto/gantry/v1/admin_pb.js";
import { Greeter } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { type AdminServerOptions, startAdminServer } from "../../src/admin/admin-server.ts";
import { createLogTo } from "../../src/log.ts";
import { statsOf } from "./stats.ts";

/** An admin port of its own, what it shows, and the lines that it logs. */
export async function adminServer(options: Partial<AdminServerOptions> = {}) {
  const stats = statsOf(Greeter);
  const log: string[] = [];
  const explained: MessageInitShape<typeof ExplainedMethodSchema>[] = [
    {
      method: "greeter.v1.Greeter/SayHello",
      sources: { quotas: "policy.yaml:4" },
      interceptors: ["recover", "quota"],
    },
    { method: "greeter.v1.Greeter/BidiHello", interceptors: ["recover"] },
  ];
  const server = await startAdminServer({
    host: "127.0.0.1",
    port: 0,
    name: "greeter",
    version: "1.2.3",
    stats,
    explain: () => explained,
    log: createLogTo((line) => log.push(line)),
    ...options,
  });
  return {
    stats,
    log,
    port: server.port,
    close: server.close,
    get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init),
    [Symbol.asyncDispose]: server.close,
  };
}
