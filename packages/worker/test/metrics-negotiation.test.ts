import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFor } from "../src/metrics/negotiation.ts";

const OPENMETRICS = {
  "Prometheus 2":
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
  "Prometheus 3":
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  "whoever asks for it by name": "application/openmetrics-text",
  "whoever writes it another way": 'Text/Plain; Q=0.5 , Application/OpenMetrics-Text; Version="1.0.0"',
};

const PLAIN_TEXT = {
  "whoever asks for nothing": undefined,
  "whoever sends an empty header": "",
  curl: "*/*",
  "a browser": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "an older Prometheus": "text/plain;version=0.0.4;q=1,*/*;q=0.1",
  "a scraper that likes it less": "application/openmetrics-text;version=1.0.0;q=0.3,text/plain;q=0.5",
  "a scraper that refuses it": "application/openmetrics-text;q=0",
  "a scraper of its draft only": "application/openmetrics-text;version=0.0.1",
  "a header that is broken": "application/openmetrics-text;q=x,;;,",
};

for (const [who, accept] of Object.entries(OPENMETRICS)) {
  test(`${who} gets OpenMetrics`, () => assert.equal(formatFor(accept), "openmetrics"));
}

for (const [who, accept] of Object.entries(PLAIN_TEXT)) {
  test(`${who} gets plain text`, () => assert.equal(formatFor(accept), "prometheus"));
}
