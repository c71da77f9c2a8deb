import { createMemoryStore } from "/work/main/packages/worker/src/quota/memory-store.ts";
import { quota } from "/work/main/packages/worker/src/interceptors/quota.ts";
import { QuotaStats } from "/work/main/packages/worker/src/quota/quota-stats.ts";
import { hostOf } from "/work/main/packages/worker/src/quota/peer.ts";
import { Greeter, HelloRequestSchema } from "@gantry/proto/greeter/v1/greeter_pb.js";
import { create } from "@bufbuild/protobuf";
import { ruleOf, methodOf, callOf } from "/work/main/packages/worker/test/support/calls.ts";
const desc = Greeter.method.sayHello;
const clock = { now: () => performance.now() };
function time(label: string, n: number, f: (i: number) => void) {
  for (let i = 0; i < n / 5; i++) f(i);
  const best = [];
  for (let r = 0; r < 3; r++) { const s = performance.now(); for (let i = 0; i < n; i++) f(i); best.push((performance.now() - s) * 1e6 / n); }
  console.log(label, Math.min(...best).toFixed(0) + " ns");
}
const names1 = ["七米"];
const names1k = Array.from({ length: 1000 }, (_, i) => "name" + i);
const names90k = Array.from({ length: 90000 }, (_, i) => "name" + i);
const names200k = Array.from({ length: 200000 }, (_, i) => "name" + i);
for (const [l, names] of [["1", names1], ["1k", names1k], ["90k", names90k], ["200k of 100k (evicting)", names200k]] as const) {
  const store = createMemoryStore({ clock, maxSubjects: 100000 });
  const rule = ruleOf(desc, { limit: 4e9, windowMs: 60000 });
  time("take, subjects " + l, 1e6, (i) => { store.take([{ rule, subject: names[i % names.length]! }]); });
}
time("clock", 1e6, () => { clock.now(); });
time("hostOf", 1e6, () => { hostOf("127.0.0.1:51234"); });
{
  const store = createMemoryStore({ clock, maxSubjects: 100000 });
  const rule = ruleOf(desc, { limit: 4e9, windowMs: 60000, subject: "request.name" });
  const method = methodOf(desc, [rule]);
  const reply = Promise.resolve(create(HelloRequestSchema));
  const next = quota(store, new QuotaStats())(() => reply, method);
  const bare = quota(store, new QuotaStats())(() => reply, methodOf(desc, []));
  const calls = names1k.map((name) => callOf(method, { request: create(HelloRequestSchema, { name }) }));
  time("interceptor, one quota, with trailers", 5e5, (i) => { next(calls[i % 1000]!); });
  time("interceptor, no quota", 5e5, (i) => { bare(calls[i % 1000]!); });
}
