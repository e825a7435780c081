import assert from "node:assert/strict";
import test from "node:test";
import { bytes, counted, duration, elapsed, moment, outcomeClass, outcomeWord } from "../src/view/format";

test("durations have two digits", () => {
  const texts = [0.4, 870, 999.7, 4_210, 99_960, 1_340_000, 205e6].map(duration);
  assert.deepEqual(texts, ["0.4 µs", "870 µs", "1.0 ms", "4.2 ms", "100 ms", "1.3 s", "205 s"]);
  assert.deepEqual([duration(null), duration(undefined), duration(Number.NaN)], ["–", "–", "–"]);
});

test("times since are in steps that grow", () => {
  assert.deepEqual([-3, 8.4, 96, 720, 12_600].map(elapsed), ["0 s", "8 s", "96 s", "12 min", "3.5 h"]);
});

test("sizes and counts", () => {
  assert.deepEqual([0, 512, 1_234, 48e6, 2.5e9].map(bytes), ["0 B", "512 B", "1.2 kB", "48 MB", "2.5 GB"]);
  assert.deepEqual([counted(1, "call"), counted(2_000, "call")], ["1 call", "2,000 calls"]);
});

test("a moment that is none is a dash", () => {
  assert.match(moment(1_770_000_000.042, { millis: true }), /^\d\d:\d\d:\d\d\.042$/);
  assert.equal(moment(1e300), "–");
});

test("outcomes are words with a tone", () => {
  assert.deepEqual(["ok", "tool_error", "rpc_error", "rejected", "cancelled"].map(outcomeWord), [
    "ok",
    "error",
    "error",
    "refused",
    "cancelled",
  ]);
  assert.deepEqual(["ok", "tool_error", "timeout", "dropped"].map(outcomeClass), ["good", "bad", "bad", "odd"]);
});
