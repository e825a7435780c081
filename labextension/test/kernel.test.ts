import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { JobRow } from "../src/view/messages";
import type { Panel } from "../src/view/panel";
import { kernel } from "../src/view/panels/kernel";
import { elapsed, Rows } from "../src/view/panels/parts";
import { all, FakeLink, heard, one, press, same, standing } from "./panel_window";

const NOW = 1_000_000;
const RUNNING: JobRow = {
  id: "j3",
  key: "k3",
  tool: "fit_model",
  principal: "me",
  client: "claude-code",
  state: "running",
  at: NOW - 75,
  progress: 62,
  total: 100,
  message: "epoch 6",
};
const DONE: JobRow = { id: "j1", key: "k1", tool: "report", principal: "me", state: "done", at: NOW - 300, seconds: 42, resultBytes: 1200 };

function opened(jobs: readonly JobRow[] = []): { link: FakeLink; panel: Panel; element: HTMLElement } {
  const link = new FakeLink();
  const panel = standing(kernel, link);
  panel.take({ type: "jobs", rows: jobs });
  return { link, panel, element: panel.element };
}

function ids(element: HTMLElement): (string | undefined)[] {
  return all(element, "job-row").map((row) => row.dataset.job);
}

test("an idle kernel is idle, and one that has said nothing is waited for", () => {
  const { panel, element } = opened();
  assert.match(one(element, "kernel-cell").textContent ?? "", /^Waiting/);
  panel.take({ type: "kernel" });
  assert.equal(one(element, "kernel-cell").textContent, "idle");
  assert.equal(one(element, "kernel-main").parentElement?.hidden, true);
  assert.equal(one(element, "jobs-empty").hidden, false);
});

test("a running cell is told with its time, which goes on while nothing is told", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const { panel, link, element } = opened();
  panel.take({ type: "kernel", cell: "[12]", cellSince: NOW - 8 });
  assert.equal(one(element, "kernel-cell").textContent, "cell [12], running 8 s");
  link.clock += 2;
  mock.timers.tick(2000);
  assert.equal(one(element, "kernel-cell").textContent, "cell [12], running 10 s");
  panel.dispose();
  const looks = link.looks;
  mock.timers.tick(10_000);
  assert.equal(link.looks, looks, "no timer is left");
});

test("the call that has the main thread is named, with how many wait, and can be stopped", async () => {
  const { panel, link, element } = opened();
  panel.take({ type: "kernel", mainCall: "plot", mainCallId: "c7", mainSince: NOW - 3, mainWaiting: 2 });
  assert.equal(
    one(element, "kernel-main").textContent,
    "plot (c7) has the main thread for 3 s; cells wait. 2 calls wait for the main thread",
  );
  assert.equal(one(element, "kernel-cell").textContent, "no cell runs");
  assert.equal(all(element, "main-stop").length, 0, "it is not known yet how to stop it");
  const call = { key: "call 7", target: "plot", method: "tools/call", session: "s1", principal: "me", at: NOW - 4, callId: "c7" };
  panel.take({ type: "openCalls", rows: [call, { ...call, key: "call 8", callId: "c8", target: "next", waits: "its turn" }] });
  assert.match(one(element, "waiting-row").textContent ?? "", /^nextmewaits: its turn/);
  one(element, "main-stop").click();
  one(element, "confirm-yes").click();
  assert.deepEqual(link.asked[0]?.question, { type: "stop", key: "call 7" });
  link.asked[0]?.answer({ type: "done", re: 1, ok: true, sentence: "plot was told to stop." });
  await heard();
  assert.equal(one(element, "main-stop-answer").textContent, "plot was told to stop.");
});

test("calls that run are there too; what waits behind the cell tells the cell's time", () => {
  const { panel, element } = opened();
  const call = { target: "plot", method: "tools/call", session: "s1", principal: "me", at: NOW - 3 };
  panel.take({ type: "kernel", cell: "[9]", cellSince: NOW - 7 });
  panel.take({
    type: "openCalls",
    rows: [
      { key: "a", ...call },
      { key: "b", ...call, waits: "behind cell [9], running 4 s" },
    ],
  });
  const texts = all(element, "waiting-row").map((row) => row.textContent ?? "");
  assert.match(texts[0] ?? "", /^plotmeruns/);
  assert.match(texts[1] ?? "", /waits: behind cell \[9\], running 7 s/);
});

test("jobs that run come first, oldest first; those that ended last come next", () => {
  const { element } = opened([
    DONE,
    { ...DONE, id: "j2", at: NOW - 200, seconds: 1 },
    { ...RUNNING, id: "j9", at: NOW - 1 },
    RUNNING,
    { ...RUNNING, id: "j5", state: "waiting", at: NOW - 30, waits: "behind cell [12], running 8 s" },
  ]);
  assert.deepEqual(ids(element), ["j3", "j5", "j9", "j2", "j1"]);
  assert.match(all(element, "job-row")[1]?.textContent ?? "", /waits: behind cell \[12\], running 8 s/);
});

test("a delta changes, adds and takes away jobs; those that stay are the same elements", () => {
  const { panel, element } = opened([RUNNING, DONE]);
  const [before] = all(element, "job-row");
  panel.take({
    type: "jobs",
    rows: [
      { ...RUNNING, progress: 80, message: "epoch 8" },
      { ...DONE, id: "j4" },
    ],
    gone: ["j1"],
  });
  assert.deepEqual(ids(element), ["j3", "j4"]);
  assert.ok(same(all(element, "job-row").slice(0, 1), [before]));
  assert.match(before?.textContent ?? "", /80 %.*epoch 8/);
});

test("a job says who called, how far it is and how long it runs; ended, how long it took and what it gave", () => {
  const { element } = opened([RUNNING, DONE]);
  const [running, done] = all(element, "job-row").map((row) => row.textContent ?? "");
  for (const part of ["j3", "fit_model", "claude-code", "running", "62 %", "epoch 6", "1 min 15 s"])
    assert.ok(running?.includes(part), part);
  assert.match(done ?? "", /done.*took .*42.* s.*result of 1\.20? kB, not fetched yet/);
});

test("progress is known in percent, or only that something goes on; ended and waiting jobs have none", () => {
  const { panel, element } = opened([RUNNING, { ...RUNNING, id: "j4", at: NOW - 1, progress: 4200, total: 0 }, DONE]);
  const [known, unknown, ended] = all(element, "job-progress");
  assert.deepEqual(
    ["valuenow", "valuemin", "valuemax"].map((name) => known?.getAttribute(`aria-${name}`)),
    ["62", "0", "100"],
  );
  assert.equal(unknown?.getAttribute("aria-valuenow"), null);
  assert.equal(unknown?.getAttribute("aria-valuetext"), "4,200 of unknown");
  assert.deepEqual(
    [known, unknown, ended].map((bar) => bar?.parentElement?.hidden),
    [false, false, true],
  );
  panel.take({ type: "jobs", rows: [{ ...RUNNING, progress: 300 }] });
  assert.equal(known?.getAttribute("aria-valuenow"), "100", "more than all is all");
});

test("stopping asks first; keeping it asks the kernel nothing and gives the focus back", () => {
  const { link, element } = opened([RUNNING]);
  one(element, "job-stop").click();
  assert.ok(document.activeElement === one(element, "confirm-no"), "a second Enter harms nothing");
  one(element, "confirm-no").click();
  assert.ok(document.activeElement === one(element, "job-stop"));
  one(element, "job-stop").click();
  press(one(element, "confirm-yes"), "Escape");
  assert.ok(document.activeElement === one(element, "job-stop"));
  assert.deepEqual(link.asked, []);
});

test("a stop that is confirmed asks once and tells what came of it", async () => {
  const { panel, link, element } = opened([RUNNING]);
  one(element, "job-stop").click();
  one(element, "confirm-yes").click();
  assert.deepEqual(
    link.asked.map(({ question }) => question),
    [{ type: "stop", key: "k3" }],
  );
  assert.ok(document.activeElement === one(element, "job-stop"));
  one(element, "job-stop").click();
  assert.equal(all(element, "confirm-yes").length, 0, "it was asked already");
  link.asked[0]?.answer({ type: "done", re: 1, ok: true, sentence: "j3 was told to stop." });
  await heard();
  panel.take({ type: "jobs", rows: [{ ...RUNNING, state: "cancelled", seconds: 80 }] });
  assert.equal(one(element, "job-stop-answer").textContent, "j3 was told to stop.");
  assert.equal(one(element, "job-stop").parentElement?.hidden, true);
});

test("a stop that gets no answer says so and can be tried again", async () => {
  const { link, element } = opened([RUNNING]);
  one(element, "job-stop").click();
  one(element, "confirm-yes").click();
  link.asked[0]?.refuse("No answer within 10 s.");
  await heard();
  assert.equal(one(element, "job-stop-answer").textContent, "No answer within 10 s.");
  one(element, "job-stop").click();
  assert.equal(all(element, "confirm-yes").length, 1);
});

test("a job that ends while it is asked whether to stop it asks no longer", () => {
  const { panel, element } = opened([RUNNING]);
  one(element, "job-stop").click();
  panel.take({ type: "jobs", rows: [{ ...RUNNING, state: "done", seconds: 80 }] });
  assert.equal(all(element, "confirm-yes").length, 0);
});

test("a question that is open stays open while progress is told", () => {
  const { panel, element } = opened([RUNNING]);
  one(element, "job-stop").click();
  panel.take({ type: "jobs", rows: [{ ...RUNNING, progress: 63 }] });
  assert.equal(all(element, "confirm-yes").length, 1);
  assert.ok(document.activeElement === one(element, "confirm-no"));
});

test("queues at zero are folded away; the others are measured against their bound", () => {
  const { panel, element } = opened();
  panel.take({
    type: "kernel",
    queues: [
      { name: "threads", value: 8, bound: 8, meaning: "Calls that run in threads." },
      { name: "dropped", value: 1200 },
      { name: "inbox", value: 0, bound: 10 },
    ],
  });
  const fold = one(element, "all-queues") as HTMLDetailsElement;
  assert.deepEqual(
    all(fold, "queue-row").map((row) => row.textContent),
    ["inbox0 of 10"],
  );
  const [threads, dropped] = all(element, "queue-row");
  assert.equal(threads?.textContent, "threads8 of 8Calls that run in threads.");
  const meter = threads?.querySelector("[role=meter]");
  assert.deepEqual([meter?.getAttribute("aria-valuenow"), meter?.getAttribute("aria-valuemax")], ["8", "8"]);
  assert.ok(meter?.classList.contains("mcpw-figure-near"));
  assert.equal(dropped?.textContent, "dropped1,200");
  assert.ok(!dropped?.querySelector("[role=meter]"), "without a bound there is nothing to measure");
  panel.take({
    type: "kernel",
    queues: [
      { name: "inbox", value: 1, bound: 10 },
      { name: "jobs bytes", value: 2_000_000, bound: 2_000_000, rolls: true },
    ],
  });
  const rolling = all(element, "queue-row").at(-1);
  assert.equal(rolling?.textContent, "jobs bytes2.0 MB of 2.0 MB");
  assert.ok(!rolling?.querySelector(".mcpw-figure-near"), "full is how it usually is");
  assert.equal(all(fold, "queue-row").length, 0);
  assert.equal(fold.hidden, true);
});

test("what jobs and calls are named and say is text", () => {
  const evil = "<img src=x onerror=alert(1)>\u202e";
  const { panel, element } = opened([{ ...RUNNING, tool: evil, client: evil, message: evil, principal: evil }]);
  panel.take({ type: "kernel", mainCall: evil, cell: evil, queues: [{ name: evil, value: 1, meaning: evil }] });
  assert.ok(!element.querySelector("img"));
  assert.doesNotMatch(element.textContent ?? "", /\u202e/);
});

test("hidden it draws nothing; after a restart nothing of before is seen", () => {
  const { panel, element } = opened([RUNNING]);
  panel.shown(false);
  panel.take({ type: "jobs", rows: [DONE] });
  assert.deepEqual(ids(element), ["j3"]);
  panel.shown(true);
  assert.deepEqual(ids(element), ["j3", "j1"]);
  panel.reset();
  assert.deepEqual(ids(element), []);
});

test("time that goes on is told in whole seconds, minutes, hours", () => {
  assert.deepEqual([-1, 0, 8.9, 75, 3780].map(elapsed), ["0 s", "0 s", "8 s", "1 min 15 s", "1 h 3 min"]);
});

test("rows that change places keep their elements and the focus", () => {
  const list = document.createElement("ul");
  document.body.replaceChildren(list);
  const rows = new Rows<string>(
    list,
    (name) => name,
    (name) => {
      const element = document.createElement("button");
      element.append(name);
      return { element, update: () => undefined };
    },
  );
  rows.set(["a", "b", "c"]);
  const [a, b, c] = [...list.children] as [HTMLElement, HTMLElement, HTMLElement];
  c.focus();
  rows.set(["c", "a"]);
  assert.ok(same([...list.children], [c, a]));
  assert.ok(document.activeElement === c);
  assert.ok(b.parentElement === null);
});
