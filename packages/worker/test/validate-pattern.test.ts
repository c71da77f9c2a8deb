import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compilePattern } from "../src/validate/pattern.ts";
import { field, sampleType } from "./support/message-types.ts";
import { assertAgreement } from "./support/protovalidate.ts";

describe("a pattern that RE2 and RegExp read alike becomes a RegExp", () => {
  const patterns: Readonly<Record<string, readonly [matches: string, ...doNot: string[]]>> = {
    "^[^\\p{Cc}]*$": ["七米 👋", "a\u0000", "\u0085"],
    "^[a-z][a-z0-9-]{0,61}[a-z0-9]$": ["a-1", "a-", "A1", `${"a".repeat(64)}`],
    "^\\d{4}-\\d{2}-\\d{2}$": ["2024-01-31", "2024-1-31", "٢٠٢٤-01-31"],
    "^.$": ["\r", "\n", "ab", ""],
    "^(?:https?|ftp):": ["http:", "https", "xhttp:"],
    "^(ab){2}$": ["abab", "ab", "ababab"],
    "^a\\.b\\x41[\\-\\]]$": ["a.bA-", "aXbA-", "a.bA."],
    "^\\p{Lu}\\P{Lu}+?$": ["Éa", "éa", "É"],
    "^[👋-👍]$": ["👌", "👎", "a"],
  };
  for (const [pattern, texts] of Object.entries(patterns)) {
    test(pattern, async () => {
      assert.ok(compilePattern(pattern), "it needs no RE2");
      const type = sampleType({
        messageType: [{ name: "Sample", field: [field(1, "value", "string", { string: { pattern } })] }],
      });
      await assertAgreement(
        type,
        texts.map((value) => ({ value })),
      );
    });
  }
});

describe("a pattern is left to RE2", () => {
  const patterns: Readonly<Record<string, readonly string[]>> = {
    "that is tried at every place of the text": ["a+b", "^a|b$"],
    "that repeats without bound in two parts": ["^a*a*$", "^[a-z]+[a-z0-9]{2,}$"],
    "that repeats what varies": ["^(a+)+$", "^(?:a|b)*$", "^(?:a?){20}$"],
    "that has much to try for each character": ["^\\w*a{500}$", "^(?:a{10}){20}a*$", "^a{0,100}a{0,100}$"],
    "whose parts mean something else to RegExp": [
      "^[[:alpha:]]$",
      "^[]a]$",
      "^\\s$",
      "^\\p{Greek}$",
      "^\\p{C}$",
      "^(?i)a$",
    ],
    "that RE2 refuses, so that it says why": ["^a{2,1}$", "^[z-a]$", "^a{1001}$", "^(a$", "^\\1$", "^a**$"],
  };
  for (const [reason, sources] of Object.entries(patterns)) {
    test(reason, () => {
      for (const source of sources) assert.equal(compilePattern(source), undefined, source);
    });
  }
});

test("a text of four million characters does not hold a worker up", () => {
  const startedAt = performance.now();
  assert.equal(compilePattern("^[^\\p{Cc}]*$")?.test(`${"a".repeat(4 << 20)}\u0000`), false);
  assert.equal(compilePattern("^a?a?a?a?[a-z]*$")?.test(`${"a".repeat(4 << 20)}!`), false);
  assert.ok(performance.now() - startedAt < 5_000);
});
