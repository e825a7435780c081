import assert from "node:assert/strict";
import test from "node:test";
import { EVERYTHING, type Filter, matcher, words } from "../src/view/filter";
import { CallStore, isGap, MOST, place } from "../src/view/store";
import { call, calls } from "./kernel";

const only = (changes: Partial<Filter>): Filter => ({ ...EVERYTHING, ...changes });

test("words must occur, -words must not, quoted ones are one", () => {
  assert.deepEqual(words('Top -codex "two words" -"not this" -'), { wanted: ["top", "two words"], unwanted: ["codex", "not this"] });
  const matches = matcher(only({ text: "ROUTES -codex" }));
  assert.deepEqual(
    [matches(call(1)), matches(call(2, { client: "cursor" })), matches(call(3, { target: "fit", client: "x" }))],
    [false, true, false],
  );
});

test("words are sought in target, error, client, session and method", () => {
  const row = call(1, { error: "no such carrier", session: "s77", callId: "c12" });
  for (const text of ["top_routes", "such carrier", "codex", "s77", "tools/call", "c12"]) assert.ok(matcher(only({ text }))(row), text);
});

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
  store.add({ type: "calls", rows: calls(1, 5) });
  store.add({ type: "calls", rows: calls(4, 7) });
  assert.deepEqual(store.entries.map(place), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual([store.total, store.matched, store.arrived], [7, 7, 7]);
});

test("calls that are missing between two are a gap, until the kernel has told them", () => {
  const store = new CallStore();
  store.add({ type: "calls", rows: [call(1), call(9)], skipped: 7, oldest: 1 });
  assert.deepEqual(store.entries[1], { gap: 7, before: 9 });
  store.addOlder({ type: "olderCalls", re: 1, rows: calls(5, 8), oldest: 1 }, 9);
  assert.deepEqual(store.entries.filter(isGap), [{ gap: 3, before: 5 }]);
  store.addOlder({ type: "olderCalls", re: 2, rows: [call(1), call(3)], oldest: 1 }, 5);
  assert.deepEqual(store.entries.map(place), [1, 3, 5, 6, 7, 8, 9]); // 2 and 4 are kept no longer: no gap that cannot be filled.
});

test("older calls can be had until the kernel has none", () => {
  const store = new CallStore();
  store.add({ type: "calls", rows: calls(500, 510), oldest: 400 });
  assert.equal(store.olderThan, 500);
  store.addOlder({ type: "olderCalls", re: 1, rows: calls(450, 499), oldest: 400 }, 500);
  assert.deepEqual([store.olderThan, store.total, store.arrived], [450, 61, 11]);
  store.addOlder({ type: "olderCalls", re: 2, rows: [], oldest: 400 }, 450);
  assert.equal(store.olderThan, 0);
});

test("it holds 50,000, drops the oldest, and counts what is there", () => {
  const store = new CallStore();
  for (let from = 1; from < 60_000; from += 1_000)
    store.add({ type: "calls", rows: calls(from, from + 999, { outcome: from < 5_000 ? "timeout" : "ok" }) });
  assert.ok(store.total >= MOST && store.total <= MOST + 2_000);
  assert.equal(store.matched, store.total);
  assert.equal(store.entries.length, store.total);
  assert.deepEqual([...store.facets.outcomes], [["ok", store.total]]);
  assert.deepEqual([store.arrived, store.olderThan], [60_000, 0]);
});

test("another filter counts anew, and what arrives later obeys it", () => {
  const store = new CallStore();
  store.add({ type: "calls", rows: [call(1), call(2, { session: "s2" }), call(3, { method: "ping", target: "" })] });
  store.setFilter(only({ session: "s2" }));
  store.add({ type: "calls", rows: [call(4), call(5, { session: "s2" })] });
  assert.deepEqual(store.entries.map(place), [2, 5]);
  assert.deepEqual(
    [...store.facets.sessions],
    [
      ["s1", 2],
      ["s2", 2],
    ],
  );
  store.setFilter(only({ protocol: true }));
  assert.deepEqual([store.facets.sessions.get("s1"), store.matched], [3, 5]);
});
