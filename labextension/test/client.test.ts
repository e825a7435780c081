import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { Client, misfit, type Standing } from "../src/view/client";
import { type ToView, VERSION, VIEW_PROTOCOL } from "../src/view/messages";
import { FakeWay } from "./kernel";

function client() {
  const way = new FakeWay();
  const log = { resets: 0, received: [] as ToView[], standings: [] as Standing[] };
  const made = new Client(
    way,
    {
      reset: () => void log.resets++,
      received: (message) => void log.received.push(message),
      changed: (standing) => void log.standings.push(standing),
    },
    () => 500,
  );
  made.start();
  return { way, log, client: made };
}

test("it opens with its versions and watches when greeted", () => {
  const { way, log, client: one } = client();
  one.watch({ panels: ["connect", "calls"] });
  assert.deepEqual(way.sent, []);
  way.greet();
  assert.deepEqual(way.sent, [
    { type: "open", viewProtocol: VIEW_PROTOCOL, version: VERSION },
    { type: "watch", panels: ["connect", "calls"], histograms: [] },
  ]);
  assert.deepEqual([one.standing.state, log.resets, log.received.length], ["live", 0, 1]);
  way.say({ type: "state", name: "n" }, { type: "state", name: "n" });
  assert.deepEqual([log.resets, log.received.length], [1, 3], "once, before the first of what is told anew");
});

test("a kernel that ends again before it tells anything leaves what was told before", () => {
  const { way, log } = client();
  way.greet();
  way.say({ type: "state", name: "n" });
  way.events?.changed("lost", "the server is stopped");
  way.greet();
  way.events?.changed("lost", "the server is stopped");
  assert.equal(log.resets, 1);
});

test("what is watched is said once, and again after each reconnection", () => {
  const { way, log, client: one } = client();
  way.greet();
  for (let times = 0; times < 3; times += 1) one.watch({ panels: ["latency"], heatmap: "", histograms: [{ tool: "f", phase: "run" }] });
  assert.equal(way.sent.filter(({ type }) => type === "watch").length, 2);
  way.events?.changed("lost", "connection lost");
  way.greet();
  assert.deepEqual(way.last("watch"), { type: "watch", panels: ["latency"], histograms: [{ tool: "f", phase: "run" }], heatmap: "" });
  assert.deepEqual([log.resets, log.standings.map(({ state }) => state)], [0, ["live", "lost", "live"]]);
});

test("its clock is the kernel's", () => {
  const { way, client: one } = client();
  way.greet(1_700_000_000);
  assert.equal(one.now(), 1_700_000_000);
});

test("an answer finds its question", async () => {
  const { way, client: one } = client();
  way.greet();
  const asked = [one.ask({ type: "getDetail", seq: 7 }), one.ask({ type: "stop", key: "a" })];
  way.say({ type: "done", re: way.last("stop").id, ok: true, sentence: "stopped" });
  way.say({ type: "olderCalls", re: way.last("getDetail").id });
  assert.deepEqual(
    (await Promise.all(asked)).map(({ type }) => type),
    ["olderCalls", "done"],
  );
  way.say({ type: "done", re: 99, ok: true, sentence: "nobody asked" });
});

test("without an answer within ten seconds there is a sentence", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { way, client: one } = client();
  way.greet();
  const asked = one.ask({ type: "getDetail", seq: 7 });
  t.mock.timers.tick(10_000);
  await assert.rejects(asked, /has not answered within 10 s: ask again/);
});

test("over a comm the sentence is that a cell is busy", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { way, client: one } = client();
  way.events?.opened();
  way.say({ type: "hello", viewProtocol: 1, version: "0.1.0", now: 1, waitsForCells: true });
  assert.match(one.standing.sentence, /wait while a cell is busy/);
  const asked = one.ask({ type: "getDetail", seq: 7 });
  t.mock.timers.tick(10_000);
  await assert.rejects(asked, /a cell is busy/);
});

test("a lost connection, and a closed view, answer what was asked", async () => {
  const { way, client: one } = client();
  await assert.rejects(one.ask({ type: "getDetail", seq: 1 }), /was not asked: connecting/);
  way.greet();
  const lost = one.ask({ type: "getDetail", seq: 7 });
  way.events?.changed("lost", "connection lost");
  await assert.rejects(lost, /lost before the kernel answered/);
  way.greet();
  const closed = one.ask({ type: "getDetail", seq: 7 });
  one.dispose();
  await assert.rejects(closed, /has been closed/);
});

test("a kernel of another version is named, with what to type, and nothing of it is shown", () => {
  const { way, log, client: one } = client();
  way.events?.opened();
  way.say({ type: "hello", viewProtocol: VIEW_PROTOCOL + 1, version: "9.0", now: 1 }, { type: "state", name: "x" });
  assert.deepEqual([one.standing.state, log.received, log.resets], ["refused", [], 0]);
  way.events?.changed("lost", "connection lost");
  assert.equal(one.standing.state, "refused");
  way.greet();
  assert.equal(one.standing.state, "live");
});

test("the older side is to be upgraded", () => {
  assert.match(misfit(VIEW_PROTOCOL - 1, "0.0.9").sentence, /kernel has mcp_workbench 0\.0\.9 .*upgrade it in the kernel's environment/);
  assert.match(misfit(VIEW_PROTOCOL - 1, "0.0.9").command ?? "", /^%pip install/);
  assert.match(misfit(VIEW_PROTOCOL + 1, "9.0").sentence, /upgrade it where Jupyter runs/);
  assert.match(misfit(VIEW_PROTOCOL + 1, "9.0").command ?? "", /^pip install/);
});

test("filters are said with what is watched, also after a reconnection", () => {
  const way = new FakeWay();
  const one = new Client(way, { reset: () => {}, received: () => {}, changed: () => {} });
  one.start();
  way.greet();
  one.watch({ panels: ["calls"], filters: [{ panel: "calls", text: "tool:x" }] });
  const said = { type: "watch", panels: ["calls"], histograms: [], filters: [{ panel: "calls", text: "tool:x" }] };
  assert.deepEqual(way.last("watch"), said);
  way.sent = [];
  way.greet();
  assert.deepEqual(way.last("watch"), said);
  one.watch({ panels: ["calls"] });
  assert.deepEqual(way.last("watch"), { type: "watch", panels: ["calls"], histograms: [] });
});

test("a kernel that refuses says it in its own words", () => {
  const { way, log } = client();
  way.events?.opened();
  way.say({ type: "refused", sentence: "this view is too old", command: "pip install -U mcp-workbench" });
  assert.deepEqual(log.standings.at(-1), { state: "refused", sentence: "this view is too old", command: "pip install -U mcp-workbench" });
});

test("package.json has the version of the messages", () => {
  assert.equal(JSON.parse(readFileSync("package.json", "utf-8")).version, VERSION);
});
