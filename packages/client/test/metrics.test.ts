import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, RpcError } from "@gantry/rpc";
import { type ClientInterceptor, connect, createClient } from "../src/index.ts";
import { Kitchen, kitchenWorker } from "./support/worker.ts";

const LABELS = 'grpc_service="kitchen.v1.Kitchen",grpc_method=';

/** The lines of one method among the metrics of the worker whose process this is. */
function linesOf(metrics: string, name: string, method: string): string[] {
  return metrics.split("\n").filter((line) => line.startsWith(name) && line.includes(`${LABELS}"${method}"`));
}

test("the worker's metrics have no client families where its process has no client", async () => {
  await using worker = await kitchenWorker();
  assert.doesNotMatch(await worker.metrics(), /grpc_client_/);
});

test("a client's methods are in the metrics at zero, before they are called", async () => {
  await using worker = await kitchenWorker();
  await using channel = connect(worker.target);
  createClient(Kitchen, channel);
  const metrics = await worker.metrics();
  assert.match(metrics, /^# TYPE grpc_client_started_total counter$/m);
  assert.match(metrics, /^# TYPE grpc_client_handling_seconds histogram$/m);
  assert.deepEqual(linesOf(metrics, "grpc_client_started_total", "Invent"), [
    `grpc_client_started_total{grpc_type="unary",${LABELS}"Invent"} 0`,
  ]);
  assert.equal(linesOf(metrics, "grpc_client_handled_total", "Invent").length, 17);
});

test("each call is counted by its status, with its messages and its time", async () => {
  await using worker = await kitchenWorker({
    cook() {
      throw new RpcError(Code.NotFound, "no such dish");
    },
  });
  await using kitchen = createClient(Kitchen, worker.target);
  await assert.rejects(kitchen.cook({}));
  for await (const _ of kitchen.serve({ count: 3 }));
  await kitchen.collect([{}, {}]);
  for await (const _ of kitchen.chat([{}, {}])) break;
  await kitchen.close();
  const metrics = await worker.metrics();
  const value = (name: string, method: string, code?: string) =>
    Number(
      linesOf(metrics, name, method)
        .find((line) => !code || line.includes(`grpc_code="${code}"`))
        ?.split(" ")
        .at(-1),
    );
  assert.equal(value("grpc_client_handled_total", "Cook", "NotFound"), 1);
  assert.equal(value("grpc_client_msg_sent_total", "Cook"), 1);
  assert.equal(value("grpc_client_msg_received_total", "Cook"), 0);
  assert.equal(value("grpc_client_handled_total", "Serve", "OK"), 1);
  assert.equal(value("grpc_client_msg_received_total", "Serve"), 3);
  assert.equal(value("grpc_client_msg_sent_total", "Collect"), 2);
  assert.equal(value("grpc_client_handled_total", "Chat", "Canceled"), 1, "its reader left");
  for (const method of ["Cook", "Serve", "Collect", "Chat"]) {
    assert.equal(value("grpc_client_started_total", method), 1);
    assert.equal(value("grpc_client_handling_seconds_count", method), 1);
  }
});

test("each attempt at a call counts, as it does on the server", async () => {
  await using worker = await kitchenWorker();
  const twice: ClientInterceptor = (next) => async (call) => {
    await next(call);
    return next(call);
  };
  await using kitchen = createClient(Kitchen, worker.target, { interceptors: [twice] });
  const started = async () =>
    (await worker.metrics())
      .match(/^grpc_(client|server)_started_total\{.*"Ping"\} \d+$/gm)
      ?.map((line) => line.split(" ").at(-1));
  const [serverBefore, clientBefore] = (await started()) ?? [];
  await kitchen.ping({});
  const [server, client] = (await started()) ?? [];
  assert.equal(Number(server) - Number(serverBefore), 2);
  assert.equal(Number(client) - Number(clientBefore), 2);
});
