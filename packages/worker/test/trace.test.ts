import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT_CONTEXT, type SpanContext, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import { CallTrace, parseTraceParent, ratioSampler, type TraceParent } from "../src/trace/call-trace.ts";
import { samplerOf } from "../src/trace/tracing.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";
const MANY = 2_000;

/** What OpenTelemetry's own sampler decides about the same trace. */
function decides(sampler: Sampler, { parent, traceId }: CallTrace): boolean {
  const context = parent ? trace.setSpanContext(ROOT_CONTEXT, remote(parent)) : ROOT_CONTEXT;
  const { decision } = sampler.shouldSample(context, traceId, "span", SpanKind.SERVER, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}

function remote({ traceId, spanId, sampled }: TraceParent): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
}

const ids = new RandomIdGenerator();
const parentWith = (sampled: boolean): TraceParent => ({
  traceId: ids.generateTraceId(),
  spanId: ids.generateSpanId(),
  sampled,
  traceState: undefined,
});

for (const ratio of [0, 0.001, 0.01, 0.3, 0.5, 0.999, 1]) {
  test(`of all traces, ${ratio} are recorded: the very ones that OpenTelemetry's sampler records`, () => {
    const root = new TraceIdRatioBasedSampler(ratio);
    const parentBased = new ParentBasedSampler({ root });
    for (let count = 0; count < MANY; count += 1) {
      const ours = new CallTrace(undefined, ratioSampler(ratio, false));
      assert.equal(ours.sampled, decides(root, ours), ours.traceId);
      for (const parent of [parentWith(true), parentWith(false)]) {
        const byId = new CallTrace(parent, ratioSampler(ratio, false));
        assert.equal(byId.sampled, decides(root, byId), parent.traceId);
        const byParent = new CallTrace(parent, ratioSampler(ratio, true));
        assert.equal(byParent.sampled, decides(parentBased, byParent), parent.traceId);
      }
    }
  });
}

const ON = new AlwaysOnSampler();
const OFF = new AlwaysOffSampler();
const HALF = new TraceIdRatioBasedSampler(0.5);

/** `OTEL_TRACES_SAMPLER`, its argument, and the sampler that OpenTelemetry's specification has for them. */
const SETTINGS: readonly [string | undefined, string | undefined, Sampler][] = [
  [undefined, undefined, new ParentBasedSampler({ root: ON })],
  ["", "0.5", new ParentBasedSampler({ root: ON })],
  ["always_on", undefined, ON],
  ["always_off", undefined, OFF],
  ["traceidratio", "0.5", HALF],
  [" traceidratio ", " 0.5 ", HALF],
  ["traceidratio", "0", OFF],
  ["traceidratio", undefined, ON],
  ["traceidratio", "1.5", ON],
  ["traceidratio", "-1", ON],
  ["traceidratio", "half", ON],
  ["parentbased_always_on", undefined, new ParentBasedSampler({ root: ON })],
  ["parentbased_always_off", undefined, new ParentBasedSampler({ root: OFF })],
  ["parentbased_traceidratio", "0.5", new ParentBasedSampler({ root: HALF })],
  ["jaeger_remote", undefined, new ParentBasedSampler({ root: ON })],
  ["Always_Off", undefined, new ParentBasedSampler({ root: ON })],
];

for (const [name, argument, expected] of SETTINGS) {
  test(`OTEL_TRACES_SAMPLER=${name ?? "(unset)"} with argument ${argument ?? "(unset)"} decides as specified`, () => {
    const sampler = samplerOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument });
    for (let count = 0; count < 100; count += 1) {
      for (const parent of [undefined, parentWith(true), parentWith(false)]) {
        const ours = new CallTrace(parent, sampler);
        assert.equal(ours.sampled, decides(expected, ours));
      }
    }
  });
}

test("a call without a parent has ids of its own, of the right shape and never all zeros", () => {
  const seen = new Set<string>();
  for (let count = 0; count < MANY; count += 1) {
    const { traceId, spanId, parent } = new CallTrace(undefined, undefined);
    assert.equal(parent, undefined);
    assert.match(traceId, /^(?!0{32})[0-9a-f]{32}$/);
    assert.match(spanId, /^(?!0{16})[0-9a-f]{16}$/);
    seen.add(traceId).add(spanId);
  }
  assert.equal(seen.size, 2 * MANY);
});

test("ids are the same however often they are read, and a call continues its parent's trace", () => {
  const parent = parentWith(true);
  const call = new CallTrace(parent, undefined);
  assert.equal(call.traceId, parent.traceId);
  assert.notEqual(call.spanId, parent.spanId);
  assert.equal(call.spanId, call.spanId);
  assert.equal(call.sampled, false, "where nothing is exported, nothing is recorded");
});

const PARENTS = [
  `00-${TRACE_ID}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${SPAN_ID}-00`,
  // Only the last bit of the flags has a meaning here.
  `00-${TRACE_ID}-${SPAN_ID}-ff`,
  `00-${TRACE_ID}-${SPAN_ID}-02`,
  // A version to come may have more fields, this one may not.
  `cc-${TRACE_ID}-${SPAN_ID}-01`,
  `cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`,
  `00-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`,
  `cc-${TRACE_ID}-${SPAN_ID}-01.what-the-future-will-be-like`,
  `ff-${TRACE_ID}-${SPAN_ID}-01`,
  `00-${"0".repeat(32)}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${"0".repeat(16)}-01`,
  `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${SPAN_ID.toUpperCase()}-01`,
  `00-${TRACE_ID}-${SPAN_ID}-0G`,
  `0-${TRACE_ID}-${SPAN_ID}-01`,
  `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`,
  `00-${TRACE_ID}-${SPAN_ID}0-01`,
  `00-${TRACE_ID}-${SPAN_ID}-1`,
  `00-${TRACE_ID}-${SPAN_ID}`,
  `00_${TRACE_ID}_${SPAN_ID}_01`,
  `${TRACE_ID}`,
  "",
];

test("a traceparent is read as OpenTelemetry's propagator reads it, or counts as not sent", () => {
  const propagator = new W3CTraceContextPropagator();
  const getter = {
    keys: (carrier: Record<string, string>) => Object.keys(carrier),
    get: (carrier: Record<string, string>, key: string) => carrier[key],
  };
  let valid = 0;
  for (const text of PARENTS) {
    const theirs = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, { traceparent: text }, getter));
    const expected = theirs && {
      traceId: theirs.traceId,
      spanId: theirs.spanId,
      sampled: (theirs.traceFlags & TraceFlags.SAMPLED) !== 0,
      traceState: "vendor=value",
    };
    assert.deepEqual(parseTraceParent(text, "vendor=value"), expected, text);
    if (expected) valid += 1;
  }
  assert.equal(valid, 6);
});
