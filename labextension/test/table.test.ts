import assert from "node:assert/strict";
import test from "node:test";
import { type Column, fitting, Table } from "../src/view/table";
import { all, byId, click, drawFrames, press, resize } from "./document";

type Row = { n: number };

const columns: readonly Column<Row>[] = [
  { id: "n", title: "N", width: 60, rank: 0, cell: (row) => String(row.n), compare: (a, b) => a.n - b.n },
  { id: "square", title: "Square", width: 100, grows: 1, rank: 2, cell: (row) => String(row.n * row.n) },
  { id: "word", title: "Word", width: 80, rank: 1, cell: (row) => `w${row.n}` },
];

function table(n: number, newestFirst = true) {
  const log = { opened: [] as number[], moved: [] as number[], closed: 0, ends: 0, sorted: [] as string[] };
  const made = new Table<Row>({
    label: "Numbers",
    testid: "numbers",
    columns,
    place: (row) => row.n,
    newestFirst,
    opened: (row) => log.opened.push(row.n),
    moved: (row) => log.moved.push(row.n),
    closed: () => log.closed++ < 0,
    atEnd: () => void log.ends++,
    sorted: (column) => log.sorted.push(column),
    empty: () => "nothing here",
  });
  document.body.replaceChildren(made.element);
  const rows = Array.from({ length: n }, (_, index) => ({ n: index + 1 }));
  made.append(rows, n);
  resize(600, 240);
  const grid = byId(made.element, "numbers");
  const scroll = (top: number) => {
    grid.scrollTop = top;
    grid.dispatchEvent(new (window as unknown as { Event: typeof Event }).Event("scroll"));
    drawFrames();
  };
  const more = (count: number) => {
    for (let times = 0; times < count; times += 1) rows.push({ n: rows.length + 1 });
    made.append(rows, rows.length);
    drawFrames();
  };
  const seen = () => all(grid, "numbers-row").map((row) => Number(row.firstElementChild?.textContent));
  return { made, rows, grid, log, scroll, more, seen, news: byId(made.element, "numbers-news") };
}

test("50,000 rows take few in the document, wherever one looks", () => {
  const { grid, scroll, seen } = table(50_000);
  for (const top of [0, 1_000, 600_000, 1_199_000]) {
    scroll(top);
    assert.ok(seen().length <= 40, `${seen().length} rows`);
    assert.ok(seen().includes(50_000 - Math.floor(top / 24)));
  }
  assert.equal(grid.getAttribute("aria-rowcount"), "50001");
});

test("rows say where they stand, and rows that stay are the same elements", () => {
  const { grid, more, seen } = table(100);
  const [top] = all(grid, "numbers-row");
  assert.deepEqual([top?.getAttribute("aria-rowindex"), top?.style.transform, seen()[0]], ["2", "translateY(0px)", 100]);
  more(2);
  assert.deepEqual([all(grid, "numbers-row")[2], top?.getAttribute("aria-rowindex"), top?.style.transform], [top, "4", "translateY(48px)"]);
});

test("it follows the newest, unless scrolled away: then a button says how many are new", () => {
  const { seen, scroll, more, news } = table(1_000);
  more(3);
  assert.deepEqual([seen()[0], news.hidden], [1_003, true]);
  scroll(2_400);
  drawFrames(); // after a leap the rows beyond the seen ones come with the next frame
  const before = seen();
  more(1_250);
  assert.deepEqual([seen(), news.hidden, news.textContent], [before, false, "1,250 new ↑"]);
  click(news);
  drawFrames();
  assert.deepEqual([seen()[0], news.hidden], [2_253, true]);
});

test("paused it stays, resumed it follows", () => {
  const { made, seen, more, news } = table(10);
  made.pause(true);
  more(5);
  assert.deepEqual([seen()[0], news.textContent], [10, "5 new ↑"]);
  made.pause(false);
  drawFrames();
  assert.equal(seen()[0], 15);
});

test("the keyboard moves, opens and closes", () => {
  const { grid, log } = table(1_000);
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "PageDown", "End", "Home"]) press(grid, key);
  assert.deepEqual(log.moved, [1_000, 999, 1_000, 992, 1, 1_000]);
  press(grid, "Enter");
  press(grid, "Escape");
  drawFrames();
  assert.deepEqual([log.opened, log.closed, grid.hasAttribute("aria-activedescendant")], [[1_000], 1, false]);
});

test("the row that the keyboard is at is named and visible", () => {
  const { grid } = table(1_000);
  press(grid, "End");
  drawFrames();
  const active = grid.getAttribute("aria-activedescendant") ?? "";
  assert.ok(document.getElementById(active)?.classList.contains("mcpw-active"));
  assert.equal(grid.scrollTop, 1_000 * 24 - 240);
});

test("a click opens the row", () => {
  const { grid, log } = table(10);
  click(all(grid, "numbers-row")[3] as Element);
  assert.deepEqual(log.opened, [7]);
});

test("a header sorts down, up, and not at all", () => {
  const { made, seen, log } = table(50, false);
  const tops: (number | undefined)[] = [];
  for (let times = 0; times < 3; times += 1) {
    click(byId(made.element, "numbers-sort-n"));
    drawFrames();
    tops.push(seen()[0]);
  }
  assert.deepEqual(
    [tops, log.sorted],
    [
      [50, 1, 1],
      ["-n", "n", ""],
    ],
  );
  made.sortBy("-n");
  assert.equal(made.element.querySelector("[aria-sort]")?.getAttribute("aria-sort"), "descending");
});

test("columns leave where it is narrow, the least important first", () => {
  const names = (width: number) => fitting(columns, width).map(({ id }) => id);
  assert.deepEqual([names(600), names(200), names(100), names(10)], [["n", "square", "word"], ["n", "word"], ["n"], ["n"]]);
  const { made } = table(5);
  resize(100, 240);
  assert.equal(made.element.querySelectorAll('[role="columnheader"]').length, 1);
  resize(600, 240);
});

test("the end is asked for only by scrolling", () => {
  const { scroll, log } = table(3);
  assert.equal(log.ends, 0);
  scroll(10);
  assert.equal(log.ends, 1);
});

test("an empty table says so, and no longer when it is not", () => {
  const { made, more } = table(0);
  const none = made.element.querySelector(".mcpw-empty") as HTMLElement;
  assert.deepEqual([none.hidden, none.textContent], [false, "nothing here"]);
  more(1);
  assert.equal(none.hidden, true);
});
