import assert from "node:assert/strict";
import test from "node:test";
import { firstUntil, fitted, growing, inSight, Lanes, MOST, MOST_ROWS, moments, panned, rowFor, zoomed } from "../src/view/charts/lanes";
import { momentText } from "../src/view/charts/painting";
import type { Mark, OpenCall, Span } from "../src/view/messages";
import type { Panel } from "../src/view/panel";
import { timeline } from "../src/view/panels/timeline";
import { all, FakeLink, heard, one, press, standing } from "./panel_window";

Object.assign(globalThis, { requestAnimationFrame: () => 1, cancelAnimationFrame: () => {} });

const span = (seq: number, at: number, seconds: number, changes: Partial<Span> = {}): Span => ({
  seq,
  at,
  session: "s1",
  target: "add",
  method: "tools/call",
  outcome: "ok",
  totalUs: seconds * 1e6,
  ...changes,
});
const mark = (at: number, changes: Partial<Mark> = {}): Mark => ({
  at,
  kind: "notification",
  text: "notifications/x",
  session: "s1",
  ...changes,
});

test("calls that overlap stand in rows of their own, each session in a lane of its own", () => {
  const lanes = new Lanes();
  lanes.add({
    type: "timeline",
    spans: [span(1, 10, 1), span(2, 11, 1), span(3, 10.5, 3), span(4, 13, 1, { session: "s2" }), span(5, 12, 2)],
  });
  assert.deepEqual(
    lanes.lanes.map(({ session, bars }) => [session, bars.map(({ row }) => row)]),
    [
      ["s1", [0, 0, 1, 0]],
      ["s2", [0]],
    ],
  );
  assert.deepEqual(lanes.whole, { start: 10, end: 14 });
});

test("no two calls lie on each other while there are rows, whatever they are", () => {
  let seed = 5;
  const next = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % n;
  };
  const ended = Array.from({ length: 300 }, (_, index) => ({ end: index + 1, long: 1 + next(6) }));
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: ended.map(({ end, long }, index) => span(index + 1, end - long, long)) });
  const bars = lanes.lanes[0]?.bars ?? [];
  for (const a of bars)
    for (const b of bars) if (a !== b && a.row === b.row) assert.ok(a.end <= b.start || b.end <= a.start, `${a.start} ${b.start}`);
});

test("what overlaps more than there are rows stands in the last", () => {
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: Array.from({ length: 40 }, (_, index) => span(index + 1, 10, 1)) });
  assert.equal(Math.max(...(lanes.lanes[0]?.bars ?? []).map(({ row }) => row)), MOST_ROWS - 1);
  assert.equal(rowFor([5, 3], 4), 1);
});

test("only what reaches into sight is drawn, long ones that began before too", () => {
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: [span(1, 1, 1), span(2, 0, 50), span(3, 45, 10), span(4, 70, 1)] });
  const [lane] = lanes.lanes;
  assert.ok(lane);
  assert.deepEqual(
    [...inSight(lane, { start: 40, end: 60 })].map(({ span }) => span.seq),
    [2, 3],
  );
  assert.deepEqual([firstUntil([1, 3, 3, 7], 3), firstUntil([1], 9), firstUntil([], 1)], [1, 1, 0]);
});

test("it holds 50,000 calls and forgets the oldest with their lanes", () => {
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: [span(1, 1, 1, { session: "old" })], marks: [mark(1, { session: "old" })] });
  for (let from = 2; from < MOST + 4_000; from += 1_000)
    lanes.add({ type: "timeline", spans: Array.from({ length: 1_000 }, (_, index) => span(from + index, from + index, 0.5)) });
  assert.ok(lanes.total >= MOST && lanes.total <= MOST + 2_000, `${lanes.total}`);
  assert.deepEqual(
    lanes.lanes.map(({ session }) => session),
    ["s1"],
  );
  assert.equal(lanes.marked, 0);
});

test("calls that go on stand below those that end later than they began", () => {
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: [span(1, 10, 5)] });
  const call = (at: number): OpenCall => ({ key: "k", target: "t", method: "m", session: "s1", principal: "me", at });
  const [lane] = lanes.lanes;
  assert.ok(lane);
  assert.deepEqual(
    growing(lane, [call(12), call(16), { ...call(16), session: "s2" }]).map(({ row }) => row),
    [1, 0],
  );
});

test("zoom keeps the place it is around, pan moves by a share, and neither leaves what can be seen", () => {
  assert.deepEqual(zoomed({ start: 0, end: 10 }, 0.5, 2), { start: 1, end: 6 });
  assert.deepEqual(panned({ start: 0, end: 10 }, 0.1), { start: 1, end: 11 });
  const near = zoomed({ start: 0, end: 1e-5 }, 1e-9, 0);
  assert.ok(near.end - near.start >= 19e-6);
  const far = zoomed({ start: 0, end: 1e5 }, 1e9, 0);
  assert.ok(far.end - far.start <= 86_401);
  assert.deepEqual(fitted({ start: 0, end: 100 }), { start: -3, end: 103 });
});

test("round moments are marked, few enough to be read, and as finely as they stand apart", () => {
  assert.deepEqual(moments({ start: 0.95, end: 3.05 }, 3), { step: 1, at: [1, 2, 3] });
  assert.equal(moments({ start: 0, end: 400 }, 4).step, 120);
  assert.ok(moments({ start: 0, end: 1e-4 }, 5).at.length <= 6);
  const at = new Date(2026, 0, 2, 10, 5, 3).getTime() / 1000;
  assert.deepEqual(
    [momentText(at, 60), momentText(at, 1), momentText(at + 0.25, 0.05), momentText(at + 0.250_125, 0.000_005)],
    ["10:05", "10:05:03", "10:05:03.250", ".250 125 s"],
  );
});

test("the panel counts, says what is under the keyboard's choice, and opens the call", async () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({
    type: "timeline",
    spans: [span(1, link.clock - 2, 1, { target: "<b>fit</b>", waitUs: 2e5, runUs: 8e5 })],
    marks: [mark(1)],
    skipped: 3,
  });
  assert.equal(one(panel.element, "timeline-counts").textContent, "1 call, 1 mark, 3 not shown: too many at once");
  assert.equal(one(panel.element, "timeline-empty").hidden, true);
  const canvas = one(panel.element, "waterfall");
  press(canvas, ".");
  assert.match(one(panel.element, "timeline-line").textContent ?? "", /<b>fit<\/b> ok in 1\.0+ s: wait 200 ms, run 800 ms; s1/);
  press(canvas, "Enter");
  const question = link.asked.at(-1)?.question;
  assert.deepEqual(question, { type: "getDetail", seq: 1 });
  link.asked.at(-1)?.answer({ type: "done", re: 1, ok: false, sentence: "kept no longer" });
  await heard();
  assert.match(one(panel.element, "call-detail").textContent ?? "", /kept no longer/);
  press(canvas, "Escape");
  assert.equal(all(panel.element, "call-detail").length, 0);
});

test("it follows what happens now until somebody moves it, and again when asked to", () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  const live = () => one(panel.element, "timeline-live").getAttribute("aria-pressed");
  panel.take({ type: "timeline", spans: [span(1, link.clock - 2, 1)] });
  assert.equal(live(), "true");
  press(one(panel.element, "waterfall"), "ArrowLeft");
  assert.equal(live(), "false");
  press(one(panel.element, "waterfall"), "End");
  assert.equal(live(), "true");
});

/** Which of its two buttons is pressed: what it follows. */
function followed(panel: Panel): string {
  const pressed = ["live", "fit"].filter((id) => one(panel.element, `timeline-${id}`).getAttribute("aria-pressed") === "true");
  return pressed.join();
}

test("where nothing happened lately all that did is shown; with nothing at all that is said", () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({ type: "timeline" });
  assert.equal(one(panel.element, "timeline-empty").hidden, false);
  panel.take({ type: "timeline", spans: [span(1, link.clock - 500, 1)] });
  assert.equal(followed(panel), "fit");
  panel.reset();
  assert.equal(one(panel.element, "timeline-empty").hidden, false);
});

test("opened after a quiet spell it follows from the first call on that comes, or ends", () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({ type: "timeline", spans: [span(1, link.clock - 500, 1)] });
  panel.take({ type: "timeline", spans: [span(2, link.clock - 400, 1)] });
  assert.equal(followed(panel), "fit", "what is told next is history still");
  panel.take({ type: "timeline", spans: [span(3, link.clock - 2, 1)] });
  assert.equal(followed(panel), "live");

  const other = standing(timeline, link);
  other.take({ type: "timeline", spans: [span(1, link.clock - 500, 1)] });
  other.take({ type: "openCalls", rows: [{ key: "k", target: "t", method: "m", session: "s9", principal: "me", at: link.clock }] });
  assert.equal(followed(other), "live");
});

test("what somebody chose is kept, whatever happens: all there is, or a moment", () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({ type: "timeline", spans: [span(1, link.clock - 500, 1)] });
  press(one(panel.element, "waterfall"), "Home");
  panel.take({ type: "timeline", spans: [span(2, link.clock - 1, 1)] });
  assert.equal(followed(panel), "fit");
  press(one(panel.element, "waterfall"), "+");
  panel.take({ type: "timeline", spans: [span(3, link.clock, 1)] });
  assert.equal(followed(panel), "");
});

test("calls that ended before stand where they belong, each once", () => {
  const lanes = new Lanes();
  lanes.add({ type: "timeline", spans: [span(7, 20, 1), span(8, 20.5, 1)], marks: [mark(19)] });
  lanes.addOlder([span(2, 10, 1, { session: "s2" }), span(3, 11, 1), span(7, 20, 1)]);
  assert.deepEqual(
    lanes.ordered().map(({ span }) => span.seq),
    [2, 3, 7, 8],
  );
  assert.deepEqual([lanes.total, lanes.marked, lanes.whole], [4, 1, { start: 10, end: 21.5 }]);
});

test("a filter is read by the kernel, which tells anew, and what is further back is asked for once", async () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({ type: "timeline", spans: [span(40, link.clock - 2, 1)] });
  const field = one(panel.element, "timeline-filter") as HTMLInputElement;
  field.value = "dur:>5ms";
  press(field, "Enter");
  assert.deepEqual(link.asked.at(-1)?.question, { type: "checkFilter", panel: "timeline", text: "dur:>5ms" });
  link.asked.at(-1)?.answer({ type: "filterChecked", re: 1, ok: true, canonical: "dur:>5ms" });
  await heard();
  assert.deepEqual(link.watched, { filters: [{ panel: "timeline", text: "dur:>5ms" }] });
  assert.match(one(panel.element, "timeline-empty").textContent ?? "", /^Looking… Clear filter/);

  panel.take({ type: "timeline", spans: [span(41, link.clock - 1, 1)] });
  assert.equal(one(panel.element, "timeline-counts").textContent, "0 calls, 0 marks", "told without the filter, it comes too late");
  panel.take({ type: "timeline", since: 30, filter: "dur:>5ms" });
  assert.match(one(panel.element, "timeline-empty").textContent ?? "", /^No call that is kept matches/);
  panel.take({ type: "timeline", spans: [span(42, link.clock - 1, 1)], filter: "dur:>5ms" });
  assert.deepEqual(
    link.asked.map(({ question }) => question).filter(({ type }) => type === "getOlder"),
    [{ type: "getOlder", before: 30, limit: 500, filter: "dur:>5ms" }],
  );
  const row = { seq: 3, at: link.clock - 500, method: "tools/call", target: "<i>sum</i>", session: "s2", principal: "me", outcome: "ok" };
  link.asked.at(-1)?.answer({ type: "olderCalls", re: 2, rows: [{ ...row, totalUs: 7_000 }] });
  await heard();
  assert.equal(one(panel.element, "timeline-counts").textContent, "2 calls, 0 marks");
  press(one(panel.element, "waterfall"), ".");
  press(one(panel.element, "waterfall"), ",");
  assert.match(one(panel.element, "timeline-line").textContent ?? "", /<i>sum<\/i> ok in 7\.0 ms/);

  press(field, "Escape");
  await heard();
  assert.deepEqual(link.watched, {});
  assert.equal(one(panel.element, "timeline-counts").textContent, "0 calls, 0 marks", "the kernel tells everything anew");
});

test("what is no filter is said with its place, and the one before goes on", async () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  const field = one(panel.element, "timeline-filter") as HTMLInputElement;
  field.value = "outcom:ok";
  press(field, "Enter");
  link.asked.at(-1)?.answer({ type: "filterChecked", re: 1, ok: false, sentence: "there is no outcom", position: 0, nearest: "outcome" });
  await heard();
  assert.match(one(panel.element, "timeline-filter-wrong").textContent ?? "", /there is no outcom.*outcome/);
  assert.deepEqual(link.watched, {});
});

test("calls that run keep their lanes, whatever the filter", async () => {
  const link = new FakeLink();
  const panel = standing(timeline, link);
  panel.take({ type: "openCalls", rows: [{ key: "k", target: "t", method: "m", session: "s9", principal: "me", at: link.clock - 1 }] });
  const field = one(panel.element, "timeline-filter") as HTMLInputElement;
  field.value = "tool:none";
  press(field, "Enter");
  link.asked.at(-1)?.answer({ type: "filterChecked", re: 1, ok: true, canonical: "tool:none" });
  await heard();
  assert.equal(one(panel.element, "timeline-empty").hidden, true);
});
