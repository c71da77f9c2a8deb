import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTrace, parseTraceParent, ratioSampler } from "../src/trace/call-trace.ts";

const FROM_CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const parent = parseTraceParent(FROM_CALLER, undefined);

test("what goes on from a call that is recorded has that call for its parent", () => {
  const trace = new CallTrace(parent, ratioSampler(1, true));
  assert.equal(trace.traceParent, `00-0af7651916cd43dd8448eb211c80319c-${trace.spanId}-01`);
});

test("what goes on from a call that is not sampled is not sampled either", () => {
  const trace = new CallTrace(parent, ratioSampler(0, false));
  assert.equal(trace.traceParent, `00-0af7651916cd43dd8448eb211c80319c-${trace.spanId}-00`);
});

test("where nothing is recorded, the caller's own context is handed on", () => {
  assert.equal(new CallTrace(parent, undefined).traceParent, FROM_CALLER);
  const trace = new CallTrace(undefined, undefined);
  assert.equal(trace.traceParent, `00-${trace.traceId}-${trace.spanId}-00`);
});
