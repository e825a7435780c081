import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { DataFrameRow, Preview } from "../src/view/messages";
import type { Panel } from "../src/view/panel";
import { dataframes } from "../src/view/panels/dataframes";
import { extent } from "../src/view/panels/preview";
import { all, FakeLink, heard, one, same, standing } from "./panel_window";

const FLIGHTS: DataFrameRow = {
  name: "flights",
  rows: 1234567,
  columns: 42,
  version: 17,
  kind: "append",
  summary: "1,000 rows appended",
  at: 999_992,
  subscribers: ["s1", "s3"],
};
const WEATHER: DataFrameRow = { name: "weather", rows: 200, columns: 3, version: 1, kind: "published", library: "polars" };

const PREVIEW: Preview = {
  type: "preview",
  re: 1,
  name: "flights",
  version: 17,
  columns: [
    { name: "carrier", dtype: "str" },
    { name: "delay", dtype: "float64" },
  ],
  rows: [
    ["AA", "1.5"],
    ["UA", "-2"],
  ],
  allRows: 1234567,
  allColumns: 42,
};

function opened(rows: readonly DataFrameRow[] = [FLIGHTS, WEATHER]): { link: FakeLink; panel: Panel; element: HTMLElement } {
  const link = new FakeLink();
  const panel = standing(dataframes, link);
  panel.take({ type: "dataFrames", rows });
  return { link, panel, element: panel.element };
}

function names(element: HTMLElement): (string | undefined)[] {
  return all(element, "df-row").map((row) => row.dataset.name);
}

test("before the first message it waits; without DataFrames it says how to publish one", () => {
  const panel = standing(dataframes, new FakeLink());
  assert.match(one(panel.element, "dataframes-empty").textContent ?? "", /^Waiting/);
  panel.take({ type: "dataFrames" });
  assert.match(one(panel.element, "dataframes-empty").textContent ?? "", /^No DataFrame is published/);
});

test("a row says shape, version, what changed last and when", () => {
  const { element } = opened();
  const text = all(element, "df-row")[0]?.textContent ?? "";
  for (const part of ["flights", "1,234,567 × 42", "v17", "1,000 rows appended", "8 s"])
    assert.ok(text.includes(part), `${part} in ${text}`);
  assert.match(all(element, "df-row")[1]?.textContent ?? "", /polars/);
});

test("the symbols are explained where there are any", () => {
  const { panel, element } = opened([]);
  assert.equal(one(element, "df-legend").hidden, true);
  panel.take({ type: "dataFrames", rows: [FLIGHTS] });
  assert.match(one(element, "df-legend").textContent ?? "", /↧rows added.*sessions that are told/);
  assert.equal(one(element, "df-legend").hidden, false);
});

test("a delta changes, adds and takes away rows; those that stay are the same elements", () => {
  const { panel, element } = opened();
  const [before] = all(element, "df-row");
  panel.take({
    type: "dataFrames",
    rows: [
      { ...FLIGHTS, rows: 5 },
      { ...WEATHER, name: "airports" },
    ],
    gone: ["weather"],
  });
  assert.deepEqual(names(element), ["airports", "flights"]);
  assert.ok(same(all(element, "df-row").slice(1), [before]));
  assert.match(before?.textContent ?? "", /5 × 42/);
});

test("what is published anew under a name that goes in the same message is there", () => {
  const { panel, element } = opened();
  panel.take({ type: "dataFrames", rows: [WEATHER], gone: ["weather", "flights"] });
  assert.deepEqual(names(element), ["weather"]);
});

test("how long ago it changed goes on while nothing is told, and stands still while nobody looks", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  const { panel, link, element } = opened();
  link.clock += 10;
  mock.timers.tick(1000);
  assert.match(all(element, "df-row")[0]?.textContent ?? "", /18 s/);
  panel.shown(false);
  const looks = link.looks;
  mock.timers.tick(10_000);
  assert.equal(link.looks, looks);
});

test("a session that is told of changes leads to the sessions", () => {
  const { link, element } = opened();
  assert.deepEqual(
    all(element, "subscriber").map((badge) => badge.textContent),
    ["1", "3"],
  );
  all(element, "subscriber")[1]?.click();
  assert.deepEqual(link.went, [["sessions", { session: "s3" }]]);
});

test("a DataFrame that is not followed any more says why", () => {
  const { element } = opened([{ ...FLIGHTS, lost: "the name flights is an int now" }, WEATHER]);
  assert.deepEqual(
    all(element, "df-lost").map(({ hidden, textContent }) => (hidden ? "" : textContent)),
    ["Not followed any more: the name flights is an int now", ""],
  );
});

test("a new version flashes each time; the first one, and other changes, do not", () => {
  const { panel, element } = opened([FLIGHTS]);
  const flash = () => [...one(element, "df-row").classList].filter((name) => name.includes("flash"));
  assert.deepEqual(flash(), []);
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, subscribers: [] }] });
  assert.deepEqual(flash(), []);
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, version: 18 }] });
  const first = flash();
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, version: 19 }] });
  assert.deepEqual([first.length, flash().length], [1, 1]);
  assert.notDeepEqual(flash(), first);
});

test("a row opens its first rows, with types, all rows counted and numbers of rows where there is no index", async () => {
  const { link, element } = opened([FLIGHTS]);
  one(element, "df-open").click();
  assert.equal(one(element, "df-open").getAttribute("aria-expanded"), "true");
  assert.deepEqual(
    link.asked.map(({ question }) => question),
    [{ type: "getPreview", name: "flights" }],
  );
  link.asked[0]?.answer(PREVIEW);
  await heard();
  assert.equal(one(element, "preview-line").textContent, "First 2 of 1,234,567 rows, first 2 of 42 columns, version 17");
  const rows = [...one(element, "preview-table").querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
  assert.deepEqual(rows, [
    ["Row", "carrierstr", "delayfloat64"],
    ["0", "AA", "1.5"],
    ["1", "UA", "-2"],
  ]);
  one(element, "df-open").click();
  assert.equal(one(element, "preview").hidden, true);
});

test("columns of the index stand as headings of rows and are not counted as columns", async () => {
  const { link, element } = opened([FLIGHTS]);
  one(element, "df-open").click();
  const preview = { ...PREVIEW, allColumns: 1, allRows: 2, indexColumns: 1 };
  link.asked[0]?.answer(preview);
  await heard();
  assert.deepEqual(
    [...one(element, "preview-table").querySelectorAll("tbody th")].map((cell) => cell.textContent),
    ["AA", "UA"],
  );
  assert.equal(extent(preview), "2 rows, 1 column, version 17");
});

test("cells are texts, whatever they hold, and a long one is cut and says so", async () => {
  const { link, element } = opened([FLIGHTS]);
  const hostile = ["<img src=x onerror=alert(1)>", "\u001b[31mred\u001b[0m", "\u202eevil\u2066", "a\u0000b", "x".repeat(1_000_000)];
  one(element, "df-open").click();
  link.asked[0]?.answer({ ...PREVIEW, columns: [{ name: "<script>", dtype: "<b>" }], rows: hostile.map((text) => [text]) });
  await heard();
  const table = one(element, "preview-table");
  assert.ok(!table.querySelector("img, script, b"));
  assert.match(table.textContent ?? "", /<img src=x onerror=alert\(1\)>/);
  assert.doesNotMatch(table.textContent ?? "", /[\u0000\u001b\u202e\u2066]/);
  assert.ok((table.textContent ?? "").length < 1000, "the whole table is small");
  assert.match([...table.querySelectorAll("td")].at(-1)?.textContent ?? "", /x… .*[\d,]{7}/);
});

test("an open preview is asked for again at a new version, one question at a time", async () => {
  const { panel, link, element } = opened([FLIGHTS]);
  one(element, "df-open").click();
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, version: 18 }] });
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, version: 19 }] });
  assert.equal(link.asked.length, 1);
  link.asked[0]?.answer(PREVIEW);
  await heard();
  assert.equal(link.asked.length, 2);
  link.asked[1]?.answer({ ...PREVIEW, version: 19 });
  await heard();
  assert.equal(link.asked.length, 2);
  assert.match(one(element, "preview-line").textContent ?? "", /version 19$/);
  one(element, "df-open").click();
  panel.take({ type: "dataFrames", rows: [{ ...FLIGHTS, version: 20 }] });
  assert.equal(link.asked.length, 2, "closed, nothing is asked");
});

test("a preview that cannot be had says why, and can be asked for again", async () => {
  const { link, element } = opened([FLIGHTS]);
  one(element, "df-open").click();
  link.asked[0]?.refuse("The connection is lost.");
  await heard();
  assert.match(one(element, "preview-line").textContent ?? "", /^The connection is lost\./);
  one(element, "preview-again").click();
  link.asked[1]?.answer({ type: "done", re: 2, ok: false, sentence: "flights is gone: publish it again." });
  await heard();
  assert.match(one(element, "preview-line").textContent ?? "", /^flights is gone/);
});

test("touching tells the kernel's sentence, or why there is none", async () => {
  const { link, element } = opened([FLIGHTS]);
  const touch = one(element, "df-touch") as HTMLButtonElement;
  touch.click();
  touch.click();
  assert.equal(link.asked.length, 1, "one question at a time");
  assert.deepEqual(link.asked[0]?.question, { type: "touch", name: "flights" });
  link.asked[0]?.answer({ type: "done", re: 1, ok: true, sentence: "flights is version 18 now." });
  await heard();
  assert.equal(one(element, "touch-answer").textContent, "flights is version 18 now.");
  touch.click();
  link.asked[1]?.refuse("No answer within 10 s.");
  await heard();
  assert.equal(one(element, "touch-answer").textContent, "No answer within 10 s.");
  assert.equal(touch.getAttribute("aria-disabled"), null);
});

test("somebody who is sent here finds the first rows open, also of what is told later", () => {
  const { panel, link, element } = opened([FLIGHTS]);
  panel.wish?.({ name: "weather" });
  assert.equal(link.asked.length, 0);
  panel.take({ type: "dataFrames", rows: [WEATHER] });
  assert.deepEqual(
    link.asked.map(({ question }) => question),
    [{ type: "getPreview", name: "weather" }],
  );
  assert.deepEqual(
    all(element, "df-open").map((opener) => opener.getAttribute("aria-expanded")),
    ["false", "true"],
  );
});

test("after a restart the rows of before are gone", () => {
  const { panel, element } = opened();
  panel.reset();
  assert.deepEqual(names(element), []);
  assert.match(one(element, "dataframes-empty").textContent ?? "", /^Waiting/);
});
