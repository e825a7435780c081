import "./panel_window";

import assert from "node:assert/strict";
import { test } from "node:test";

import { durationTicks, numberTicks, placed } from "../src/view/charts/axis";
import { type Buckets, barAt, barStart, barsFor, MOST_BARS, merged, octavesOf } from "../src/view/charts/buckets";
import { barText, distributionOf, quantileLines } from "../src/view/charts/distribution";
import { COLUMN_S, COLUMNS, HeatWindow, intensity } from "../src/view/charts/heat";
import { cellText, clock, moved, within } from "../src/view/charts/heatmap";
import type { Histogram } from "../src/view/messages";

/** The same numbers at each run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
}

function someBuckets(random: () => number): Buckets {
  const counts = new Map<number, number>();
  const [low, spread] = [Math.floor(random() * 1500) - 800, 1 + Math.floor(random() * 900)];
  for (let i = 0; i < 1 + random() * 60; i += 1) counts.set(low + Math.floor(random() * spread), 1 + Math.floor(random() * 1000));
  return [...counts].sort((a, b) => a[0] - b[0]);
}

const sum = (counts: readonly number[]) => counts.reduce((all, n) => all + n, 0);

test("merged bars hold every call, are at most eighty, and share their edges between histograms", () => {
  const random = randoms(5);
  for (let round = 0; round < 300; round += 1) {
    const histograms = [someBuckets(random), someBuckets(random)];
    const bars = barsFor(histograms);
    assert.ok(bars !== null && bars.length <= MOST_BARS);
    assert.equal(Math.abs(bars.first % bars.width), 0);
    for (const buckets of histograms) assert.equal(sum(merged(buckets, bars)), sum(buckets.map(([, n]) => n)));
  }
});

test("bars are as fine as eighty of them allow", () => {
  assert.deepEqual(
    barsFor([
      [
        [-320, 1],
        [-241, 1],
      ],
    ]),
    { width: 1, first: -320, length: 80 },
  );
  assert.deepEqual(
    barsFor([
      [
        [-320, 1],
        [-240, 1],
      ],
    ]),
    { width: 2, first: -320, length: 41 },
  );
  assert.deepEqual(barsFor([[[-3, 1]], [[4, 1]]], 4), { width: 4, first: -4, length: 3 });
});

test("no calls make no bars", () => {
  assert.equal(barsFor([[], []]), null);
});

test("a bar is found by any place in it, and by none outside", () => {
  const bars = { width: 4, first: -64, length: 5 };
  for (let bar = 0; bar < bars.length; bar += 1) {
    assert.equal(barAt(bars, barStart(bars, bar)), bar);
    assert.equal(barAt(bars, barStart(bars, bar + 0.99)), bar);
  }
  assert.equal(barAt(bars, barStart(bars, 5)), null);
  assert.equal(barAt(bars, -2.01), null);
  assert.equal(barStart(bars, 0), -2, "a quarter of a second");
});

test("an axis is marked at round durations, as many as fit", () => {
  const labels = (low: number, high: number, most: number) =>
    durationTicks(octavesOf(low), octavesOf(high), most).map(({ label }) => label);
  assert.deepEqual(labels(90, 1100, 9), ["100 µs", "200 µs", "300 µs", "500 µs", "700 µs", "1 ms"]);
  assert.deepEqual(labels(90, 11_000, 4), ["100 µs", "1 ms", "10 ms"]);
  assert.deepEqual(labels(0.9, 1.1e8, 3), ["1 µs", "1 ms", "1 s"], "every third decade");
  assert.deepEqual(labels(1210, 1450, 4), ["1.3 ms", "1.4 ms"], "less than an octave");
  assert.deepEqual(labels(1.1e6, 1.1e6, 4), ["1.1 s"]);
});

test("marks are within the axis, ascending, and no more than fit, whatever the range", () => {
  const random = randoms(9);
  for (let round = 0; round < 300; round += 1) {
    const low = random() * 40 - 25;
    const high = low + 0.05 + random() * 30;
    const most = 2 + Math.floor(random() * 12);
    const ticks = durationTicks(low, high, most).map(({ at }) => at);
    assert.ok(ticks.length <= most, `${ticks.length} of ${most}`);
    const apart = (high - low) / most;
    assert.ok(
      ticks.every((at, i) => i === 0 || at - (ticks[i - 1] ?? at) >= apart - 1e-9),
      "no label reaches into the next",
    );
    assert.ok(ticks.every((at, i) => at >= low && at <= high && (i === 0 || at > (ticks[i - 1] ?? at))));
  }
});

test("counts are marked at whole numbers, shares also between them", () => {
  assert.deepEqual(numberTicks(1, 4), [0, 1]);
  assert.deepEqual(numberTicks(865, 4), [0, 500]);
  assert.deepEqual(numberTicks(1000, 4), [0, 500, 1000]);
  assert.deepEqual(numberTicks(1, 4, false), [0, 0.5, 1]);
  assert.deepEqual(numberTicks(0.3, 3, false), [0, 0.1, 0.2, 0.3]);
  assert.deepEqual(numberTicks(0, 4), [0]);
});

test("labels of lines that stand close go into rows of their own, and none leaves the picture or covers another", () => {
  assert.deepEqual(
    placed(
      [
        { x: 10, width: 50 },
        { x: 20, width: 50 },
        { x: 100, width: 50 },
      ],
      300,
    ),
    [
      { left: 14, row: 0 },
      { left: 24, row: 1 },
      { left: 104, row: 0 },
    ],
  );
  assert.deepEqual(placed([{ x: 280, width: 50 }], 300), [{ left: 226, row: 0 }], "to the left of its line");
  const random = randoms(3);
  for (let round = 0; round < 200; round += 1) {
    const labels = Array.from({ length: 4 }, () => ({ x: random() * 200, width: 30 + random() * 60 })).sort((a, b) => a.x - b.x);
    const places = placed(labels, 200).map((place, i) => ({ ...place, right: place.left + (labels[i]?.width ?? 0) }));
    assert.ok(places.every(({ left, right }) => left >= 0 && right <= 200));
    for (const [i, a] of places.entries())
      for (const b of places.slice(i + 1)) assert.ok(a.row !== b.row || a.right < b.left || b.right < a.left);
  }
});

const HISTOGRAM: Histogram = {
  type: "histogram",
  tool: "a",
  phase: "total",
  n: 4,
  buckets: [
    [-320, 3],
    [-319, 1],
  ],
};

test("lines stand at the quantiles that enough calls support", () => {
  assert.deepEqual(quantileLines({ p50: 1e6, p90: 2e6, p99: 4e6, p999: null }), [
    { at: 0, name: "p50", us: 1e6 },
    { at: 1, name: "p90", us: 2e6 },
    { at: 2, name: "p99", us: 4e6 },
  ]);
  assert.deepEqual(quantileLines(undefined), []);
});

test("one tool is drawn in calls, two are drawn as shares of each", () => {
  const other: Histogram = { ...HISTOGRAM, tool: "b", n: 1000, buckets: [[-319, 1000]] };
  assert.deepEqual(distributionOf({ main: HISTOGRAM, compare: null, failed: null })?.main, [3, 1]);
  const both = distributionOf({ main: HISTOGRAM, compare: other, failed: null });
  assert.deepEqual(
    [both?.main, both?.compare],
    [
      [75, 25],
      [0, 100],
    ],
  );
});

test("failed calls are counted apart, also where none ended well", () => {
  const failed: Histogram = { ...HISTOGRAM, failed: true, n: 2, buckets: [[-320, 2]] };
  const drawn = distributionOf({ main: HISTOGRAM, compare: null, failed });
  assert.deepEqual(
    [drawn?.main, drawn?.failed],
    [
      [3, 1],
      [2, 0],
    ],
  );
  assert.match(barText(drawn as NonNullable<typeof drawn>, 0), /: 3 calls, 2 failed$/);
  assert.deepEqual(distributionOf({ main: null, compare: null, failed })?.main, [0]);
  assert.equal(distributionOf({ main: { ...HISTOGRAM, buckets: [] }, compare: null, failed: null }), null);
});

test("a column that comes again replaces what was told of the same ten seconds", () => {
  const heat = new HeatWindow();
  heat.take([{ at: 1000, cells: [[-20, 1]] }]);
  heat.take([
    {
      at: 1000,
      cells: [
        [-20, 5],
        [-18, 2],
      ],
      failed: 1,
    },
  ]);
  const view = heat.view(1005);
  assert.equal(view.columns.length, COLUMNS);
  assert.deepEqual(view.columns.at(-1), {
    at: 1000,
    cells: [
      [-20, 5],
      [-18, 2],
    ],
    failed: 1,
  });
  assert.deepEqual([view.calls, view.failed, view.max], [7, 1, 5]);
});

test("a column moves to the left as time passes and is gone after ten minutes", () => {
  const heat = new HeatWindow();
  heat.take([{ at: 1000, cells: [[-20, 1]] }]);
  assert.equal(heat.view(1009.9).columns.at(-1)?.at, 1000);
  assert.equal(heat.view(1010).columns.at(-2)?.at, 1000);
  assert.equal(heat.view(1599).columns[0]?.at, 1000);
  assert.equal(heat.view(1600).calls, 0);
  assert.equal(heat.view(1599).calls, 0, "what has left does not come back");
});

test("a column of a kernel whose clock is ahead is seen", () => {
  const heat = new HeatWindow();
  heat.take([{ at: 1010, cells: [[-20, 1]] }]);
  assert.equal(heat.view(1009).columns.at(-1)?.at, 1010);
});

test("rows reach from the quickest to the slowest call, and are never fewer than eight", () => {
  const heat = new HeatWindow();
  const rows = () => {
    const { lowRow, highRow } = heat.view(1000);
    return [lowRow, highRow];
  };
  assert.deepEqual(rows(), [-24, -17]);
  heat.take([{ at: 1000, cells: [[-20, 1]] }]);
  assert.deepEqual(rows(), [-23, -16]);
  heat.take([
    {
      at: 990,
      cells: [
        [-30, 1],
        [4, 1],
      ],
    },
  ]);
  assert.deepEqual(rows(), [-30, 4]);
});

test("a single call is seen beside ten thousand", () => {
  assert.equal(intensity(0, 10_000), 0);
  assert.ok(intensity(1, 10_000) > 0.2);
  assert.equal(intensity(10_000, 10_000), 1);
  assert.equal(intensity(1, 1), 1);
});

test("the keyboard's cursor begins at the newest column, stays inside, and says when, how long and how many", () => {
  const heat = new HeatWindow();
  heat.take([{ at: 1000, cells: [[-20, 34]], failed: 2 }]);
  const view = heat.view(1005);
  const first = moved(null, "ArrowLeft", view);
  assert.deepEqual(first, { at: 1000, row: -19 });
  assert.deepEqual(moved(first, "ArrowRight", view), first, "nothing is newer");
  assert.deepEqual(moved(first, "ArrowLeft", view), { at: 990, row: -19 });
  assert.deepEqual(moved(first, "Home", view), { at: 1000 - (COLUMNS - 1) * COLUMN_S, row: -19 });
  assert.deepEqual(moved(first, "PageUp", view), { at: 1000, row: -16 });
  assert.equal(moved(first, "x", view), null);
  assert.deepEqual(within({ at: 0, row: -99 }, view), { at: view.start, row: -23 });
  const text = cellText({ at: 1000, row: -20 }, view);
  assert.ok(text.startsWith(`${clock(1000)} – ${clock(1010)}, `), text);
  assert.match(text, /: 34 calls; 2 failed in these ten seconds$/);
  assert.match(cellText({ at: 990, row: -20 }, view), /: 0 calls$/);
});
