import assert from "node:assert/strict";
import test from "node:test";
import { EVERYTHING, type Filter, matcher } from "../src/view/filter";
import { CallStore, isGap, MOST, place } from "../src/view/store";
import { call, calls } from "./kernel";

const only = (changes: Partial<Filter>): Filter => ({ ...EVERYTHING, ...changes });

test("lists and pings are seen only where asked for", () => {
  const ping = call(1, { method: "ping", target: "" });
  assert.deepEqual([matcher(EVERYTHING)(ping), matcher(only({ protocol: true }))(ping)], [false, true]);
  for (const method of ["tools/call", "resources/read", "prompts/get", "job"]) assert.ok(matcher(EVERYTHING)(call(2, { method })), method);
});

test("facets choose by outcome word, tool and session", () => {
  const failed = call(1, { outcome: "rpc_error" });
  assert.ok(matcher(only({ outcomes: new Set(["error"]) }))(failed));
  assert.ok(!matcher(only({ outcomes: new Set(["ok"]) }))(failed));
  assert.ok(!matcher(only({ tool: "top_routes" }))(call(2, { method: "resources/read" })));
  assert.ok(!matcher(only({ session: "s2" }))(failed));
});

test("what is new is added, what is known is not added twice", () => {
  const store = new CallStore();
  store.add({ rows: calls(1, 5) });
  store.add({ rows: calls(4, 7) });
  assert.deepEqual(store.entries.map(place), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual([store.total, store.matched, store.arrived], [7, 7, 7]);
});

test("calls that are missing between two are a gap, until the kernel has told them", () => {
  const store = new CallStore();
  store.add({ rows: [call(1), call(9)], skipped: 7, oldest: 1 });
  assert.deepEqual(store.entries[1], { gap: 7, before: 9 });
  store.addOlder({ rows: calls(5, 8), oldest: 1 }, 9);
  assert.deepEqual(store.entries.filter(isGap), [{ gap: 3, before: 5 }]);
  store.addOlder({ rows: [call(1), call(3)], oldest: 1 }, 5);
  assert.deepEqual(store.entries.map(place), [1, 3, 5, 6, 7, 8, 9]); // 2 and 4 are kept no longer: no gap that cannot be filled.
});

test("older calls can be had until the kernel has none", () => {
  const store = new CallStore();
  store.add({ rows: calls(500, 510), oldest: 400 });
  assert.equal(store.olderThan, 500);
  store.addOlder({ rows: calls(450, 499), oldest: 400 }, 500);
  assert.deepEqual([store.olderThan, store.total, store.arrived], [450, 61, 11]);
  store.addOlder({ rows: [], oldest: 400 }, 450);
  assert.equal(store.olderThan, 0);
});

test("it holds 50,000, drops the oldest, and counts what is there", () => {
  const store = new CallStore();
  for (let from = 1; from < 60_000; from += 1_000)
    store.add({ rows: calls(from, from + 999, { outcome: from < 5_000 ? "timeout" : "ok" }) });
  assert.ok(store.total >= MOST && store.total <= MOST + 2_000);
  assert.equal(store.matched, store.total);
  assert.equal(store.entries.length, store.total);
  assert.deepEqual([...store.facets.outcomes], [["ok", store.total]]);
  assert.deepEqual([store.arrived, store.olderThan], [60_000, 0]);
});

test("another filter counts anew, and what arrives later obeys it", () => {
  const store = new CallStore();
  store.add({ rows: [call(1), call(2, { session: "s2" }), call(3, { method: "ping", target: "" })] });
  store.choose(only({ session: "s2" }));
  store.add({ rows: [call(4), call(5, { session: "s2" })] });
  assert.deepEqual(store.entries.map(place), [2, 5]);
  assert.deepEqual(
    [...store.facets.sessions],
    [
      ["s1", 2],
      ["s2", 2],
    ],
  );
  store.choose(only({ protocol: true }));
  assert.deepEqual([store.facets.sessions.get("s1"), store.matched], [3, 5]);
});

test("with a filter the kernel chooses: numbers that are missing are no gap, what it left out is one", () => {
  const store = new CallStore();
  store.add({ rows: calls(1, 3) });
  store.begin("tool:x");
  store.add({ rows: calls(4, 5) });
  assert.deepEqual([store.entries, store.begun], [[], false], "chosen by the filter before, it comes too late");
  store.add({ rows: [call(10), call(20)], since: 8, oldest: 1, filter: "tool:x" });
  store.add({ rows: [call(30), call(40)], skipped: 7, filter: "tool:x" });
  assert.deepEqual(store.entries.map(place), [10, 20, 29.5, 30, 40]);
  assert.deepEqual(store.entries.filter(isGap), [{ gap: 7, before: 30, ask: 41 }]);
  store.addOlder({ rows: [call(20), call(25), call(30), call(40)], reached: 12 }, 41);
  assert.deepEqual(store.entries.map(place), [10, 20, 25, 30, 40]);
});

test("with a filter older ones are looked for from where the kernel has looked, also where nothing fits yet", () => {
  const store = new CallStore();
  store.begin("tool:x");
  assert.equal(store.olderThan, 0);
  store.add({ since: 900, oldest: 101, filter: "tool:x" });
  assert.deepEqual([store.olderThan, store.begun], [900, true]);
  store.addOlder({ rows: [call(500), call(700)], reached: 500, oldest: 101 }, 900);
  assert.equal(store.olderThan, 500);
  store.addOlder({ rows: [], reached: 101, oldest: 101 }, 500);
  assert.equal(store.olderThan, 0);
  store.begin("");
  store.add({ rows: calls(900, 910), since: 900, oldest: 101 });
  assert.equal(store.olderThan, 900);
});

test("a note stands in the row of its call", () => {
  const store = new CallStore();
  store.add({ rows: calls(1, 2) });
  store.annotate(2, "slow");
  store.annotate(9, "nowhere");
  assert.deepEqual(
    store.entries.map((entry) => !isGap(entry) && entry.note),
    [undefined, "slow"],
  );
});

test("it knows how many the kernel keeps that are not here, and what to ask for next", () => {
  const store = new CallStore();
  store.add({ rows: calls(401, 500), oldest: 1, newest: 500 });
  assert.deepEqual([store.kept, store.missing, store.wanting], [500, 400, 401]);
  store.add({ rows: calls(520, 600), skipped: 19, oldest: 1, newest: 600 });
  assert.deepEqual([store.kept, store.missing, store.wanting], [600, 419, 520], "the newest gap is filled first");
  store.addOlder({ rows: calls(501, 519), oldest: 1 }, 520);
  store.addOlder({ rows: calls(101, 400), oldest: 101 }, 401);
  assert.deepEqual([store.kept, store.missing, store.wanting], [500, 0, 0]);
  store.add({ rows: calls(601, 602), oldest: 300, newest: 602 });
  assert.deepEqual([store.kept, store.missing], [303, 0], "what the kernel has dropped is here still, and not counted");
  store.begin("dur:>5ms");
  assert.deepEqual([store.kept, store.missing], [0, 0]);
  store.add({ rows: [call(700)], filter: "dur:>5ms", skipped: 7, oldest: 300, newest: 700, since: 650 });
  assert.deepEqual([store.missing, store.wanting], [7, 701]);
});
