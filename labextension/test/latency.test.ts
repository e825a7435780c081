import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { Histogram, ToolRow } from "../src/view/messages";
import type { Panel } from "../src/view/panel";
import { latency } from "../src/view/panels/latency";
import { sorted, sortOf } from "../src/view/panels/tools";
import { all, FakeLink, heard, one, press, same, standing } from "./panel_window";

const QUICK: ToolRow = {
  name: "quick",
  n: 2000,
  errors: 3,
  perS: 20.4,
  total: { p50: 85, p90: 120, p99: 400, p999: 900 },
  wait: { p50: 10 },
  run: { p50: 70 },
  send: { p50: 20 },
};
const SLOW: ToolRow = { name: "slow", n: 12, total: { p50: 3.1e6, p90: 4e6, p99: 5e6, p999: null } };
const FAILING: ToolRow = { name: "failing", n: 4, errors: 4 };

function histogramOf(tool: string, more: Partial<Histogram> = {}): Histogram {
  return { type: "histogram", tool, phase: "total", n: 5, buckets: [[-300, 5]], quantiles: { p50: 1500, p90: 1500, p99: 1500 }, ...more };
}

function opened(
  link = new FakeLink(),
  rows: readonly ToolRow[] = [QUICK, SLOW, FAILING],
): { link: FakeLink; panel: Panel; element: HTMLElement } {
  const panel = standing(latency, link);
  if (rows.length) panel.take({ type: "tools", rows });
  return { link, panel, element: panel.element };
}

function names(element: HTMLElement): (string | undefined)[] {
  return all(element, "tool-row").map((row) => row.dataset.tool);
}

function cells(element: HTMLElement, tool: string): HTMLElement[] {
  const row = all(element, "tool-row").find((each) => each.dataset.tool === tool);
  return [...(row?.querySelectorAll<HTMLElement>("td") ?? [])];
}

test("without calls it says so, and shows neither table nor charts", () => {
  const { element } = opened(new FakeLink(), []);
  assert.equal(one(element, "latency-empty").hidden, false);
  assert.equal(one(element, "legend").closest<HTMLElement>(".mcpw-latency-body")?.hidden, true);
});

test("a tool's row says how often and how long, and why a quantile is missing", () => {
  const { element } = opened();
  const [calls, perS, errors, p50] = cells(element, "quick").map((cell) => cell.textContent);
  assert.deepEqual([calls, perS, errors, p50], ["2,000", "20", "3", "85 µs"]);
  const slow = cells(element, "slow")[6];
  assert.deepEqual([slow?.textContent, slow?.title], ["–", "needs 1,000 calls"]);
  assert.equal(cells(element, "failing")[3]?.title, "no such call");
  assert.equal(cells(element, "quick")[7]?.title, "wait 10 %, run 70 %, send 20 %");
});

test("a delta changes its rows and leaves the others, which stay the same elements", () => {
  const { panel, element } = opened();
  const before = all(element, "tool-row");
  panel.take({ type: "tools", rows: [{ ...SLOW, n: 13 }] });
  assert.equal(cells(element, "slow")[0]?.textContent, "13");
  assert.ok(same(all(element, "tool-row"), before));
});

test("the most called tool is asked for at first, with the heatmap of all tools", () => {
  const { link } = opened();
  assert.deepEqual(link.watched, { histograms: [{ tool: "quick", phase: "total" }], heatmap: "" });
});

test("figures of all tools are not mixed with those of the tool that is chosen first", () => {
  const link = new FakeLink();
  link.memory.set("latency.heatmap", "tool");
  const { panel, element } = opened(link, []);
  panel.take({ type: "heatmap", columns: [{ at: 1_000_000, cells: [[-20, 7]] }] });
  panel.take({ type: "tools", rows: [QUICK] });
  assert.equal(link.watched.heatmap, "quick");
  assert.match(one(element, "heatmap-line").textContent ?? "", /^0 calls/);
});

test("choosing a tool, a phase, errors apart and a second tool asks for their histograms", () => {
  const { link, element } = opened();
  all(element, "tool-row")[1]?.click();
  one(element, "phase-run").click();
  one(element, "errors-apart").click();
  const compare = one(element, "compare") as HTMLSelectElement;
  assert.deepEqual(
    [...compare.options].map(({ value }) => value),
    ["", "failing", "quick"],
  );
  compare.value = "quick";
  compare.dispatchEvent(new Event("change"));
  one(element, "heatmap-tool").click();
  assert.deepEqual(link.watched, {
    histograms: [
      { tool: "slow", phase: "run" },
      { tool: "slow", phase: "run", failed: true },
      { tool: "quick", phase: "run" },
    ],
    heatmap: "slow",
  });
  assert.equal(one(element, "phase-run").getAttribute("aria-pressed"), "true");
});

test("rows are chosen by the keyboard, and one of them is where the tab key leads", () => {
  const { link, element } = opened();
  const rows = all(element, "tool-row");
  assert.deepEqual(
    rows.map((row) => row.tabIndex),
    [0, -1, -1],
  );
  rows[0]?.focus();
  press(rows[0] as HTMLElement, "ArrowDown");
  assert.ok(document.activeElement === rows[1]);
  press(rows[1] as HTMLElement, "Enter");
  assert.equal(link.watched.histograms?.[0]?.tool, "slow");
  assert.deepEqual(
    all(element, "tool-row").map((row) => row.getAttribute("aria-selected")),
    ["false", "true", "false"],
  );
});

test("a column sorts, sorts the other way round, and is remembered", () => {
  const link = new FakeLink();
  const { element } = opened(link);
  assert.deepEqual(names(element), ["quick", "slow", "failing"]);
  one(element, "sort-p50").click();
  assert.deepEqual(names(element), ["slow", "quick", "failing"]);
  one(element, "sort-p50").click();
  assert.deepEqual(names(element), ["failing", "quick", "slow"]);
  const again = opened(link);
  assert.deepEqual(names(again.element), ["failing", "quick", "slow"]);
});

test("a sort that is not known is the first one", () => {
  assert.deepEqual(sortOf("nonsense:down"), { by: "calls", down: true });
  assert.deepEqual(sortOf(undefined), { by: "calls", down: true });
  assert.deepEqual(
    sorted([SLOW, FAILING, QUICK], sortOf("tool:up")).map(({ name }) => name),
    ["failing", "quick", "slow"],
  );
});

test("the legend tells the figures of what is shown, and nothing of what is not", () => {
  const { panel, element } = opened();
  panel.take(histogramOf("slow"));
  panel.take(histogramOf("quick", { phase: "wait" }));
  assert.equal(all(element, "legend-row").length, 0);
  panel.take(histogramOf("quick", { n: 1234 }));
  panel.take(histogramOf("quick", { failed: true, n: 3 }));
  assert.equal(all(element, "legend-row").length, 1);
  assert.match(one(element, "legend-row").textContent ?? "", /^quick1,234/);
  assert.equal(one(element, "legend-row").querySelector("td[title]")?.getAttribute("title"), "needs 1,000 calls");
});

test("a tool of which no call ended well says so, and how to see the others", () => {
  const { panel, element } = opened(new FakeLink(), [FAILING]);
  assert.equal(one(element, "latency-note").textContent, "No call ended well so far: 4 failed. “Errors apart” shows how long they took.");
  assert.equal(one(element, "distribution").parentElement?.hidden, true);
  one(element, "errors-apart").click();
  panel.take(histogramOf("failing", { failed: true }));
  assert.equal(one(element, "distribution").parentElement?.hidden, false);
});

test("hidden it wants nothing and draws nothing; shown again it has what was told meanwhile", () => {
  const { panel, link, element } = opened();
  panel.shown(false);
  assert.deepEqual(link.watched, {});
  panel.take({ type: "tools", rows: [{ ...SLOW, n: 99 }] });
  assert.equal(cells(element, "slow")[0]?.textContent, "12");
  panel.shown(true);
  assert.equal(cells(element, "slow")[0]?.textContent, "99");
  assert.equal(link.watched.heatmap, "");
});

test("after a restart nothing of before is seen", () => {
  const { panel, element } = opened();
  panel.take(histogramOf("quick"));
  panel.take({ type: "heatmap", columns: [{ at: 1_000_000, cells: [[-20, 7]] }] });
  panel.reset();
  assert.equal(all(element, "tool-row").length, 0);
  assert.equal(all(element, "legend-row").length, 0);
  assert.match(one(element, "heatmap-line").textContent ?? "", /^0 calls/);
});

test("the heatmap is of what was asked for, and empties as time passes though no message comes", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const { panel, link, element } = opened();
  panel.take({ type: "heatmap", tool: "slow", columns: [{ at: 1_000_000, cells: [[-20, 7]] }] });
  assert.match(one(element, "heatmap-line").textContent ?? "", /^0 calls/);
  panel.take({ type: "heatmap", columns: [{ at: 1_000_000, cells: [[-20, 7]], failed: 1 }] });
  assert.match(one(element, "heatmap-line").textContent ?? "", /^7 calls .* 1 failed/);
  link.clock += 600;
  mock.timers.tick(5000);
  assert.match(one(element, "heatmap-line").textContent ?? "", /^0 calls/);
});

test("the heatmap's cursor moves by keys and leaves by Escape", () => {
  const { panel, element } = opened();
  panel.take({ type: "heatmap", columns: [{ at: 1_000_000, cells: [[-19, 7]] }] });
  press(one(element, "heatmap"), "ArrowUp");
  press(one(element, "heatmap"), "ArrowDown");
  assert.match(one(element, "heatmap-line").textContent ?? "", /: 7 calls$/);
  press(one(element, "heatmap"), "ArrowLeft");
  assert.match(one(element, "heatmap-line").textContent ?? "", /: 0 calls$/);
  press(one(element, "heatmap"), "Escape");
  assert.match(one(element, "heatmap-line").textContent ?? "", /^7 calls ended well/);
});

test("a tool's name is a text, whatever it holds", () => {
  const name = "<img src=x onerror=alert(1)>\u202e\u001b[31m";
  const { panel, element } = opened(new FakeLink(), [{ ...QUICK, name }, SLOW]);
  panel.take(histogramOf(name));
  assert.ok(!element.querySelector("img"));
  assert.doesNotMatch(element.textContent ?? "", /[\u202e\u001b]/);
  assert.match(element.textContent ?? "", /<img src=x/);
});

test("somebody who is sent here sees the tool that is meant", () => {
  const { panel, link, element } = opened();
  panel.wish?.({ tool: "slow" });
  assert.equal(link.watched.histograms?.[0]?.tool, "slow");
  assert.equal(one(element, "latency-tool").textContent, "slow");
});

test("after its end no timer looks at the clock", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const { panel, link } = opened();
  panel.dispose();
  const looks = link.looks;
  mock.timers.tick(60_000);
  await heard();
  assert.equal(link.looks, looks);
});
