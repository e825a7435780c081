import assert from "node:assert/strict";
import test from "node:test";
import { RowOrder, windowOf } from "../src/view/rows";

const shownBy = (order: RowOrder<number>) => Array.from({ length: order.length }, (_, index) => order.at(index));
const range = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

test("the window holds what is visible and a little more, never too much", () => {
  assert.deepEqual(windowOf(0, 240, 24, 50_000, 6, 160), [0, 16]);
  assert.deepEqual(windowOf(24_000, 240, 24, 50_000, 6, 160), [994, 1016]);
  assert.deepEqual(windowOf(9e9, 240, 24, 50, 6, 160)[1], 50);
  assert.deepEqual(windowOf(0, 240, 24, 0, 6, 160), [0, 0]);
  for (const scrolled of [0, 1, 23, 24, 1e6]) {
    const [first, last] = windowOf(scrolled, 99_999, 24, 50_000, 6, 160);
    assert.ok(last - first <= 160);
  }
});

test("newest first, as they came, or by a column", () => {
  const order = new RowOrder<number>((row) => row, true);
  order.append([3, 1, 2], 3);
  assert.deepEqual(shownBy(order), [2, 1, 3]);
  order.sortBy((a, b) => a - b);
  assert.deepEqual(shownBy(order), [1, 2, 3]);
  order.sortBy(undefined);
  assert.deepEqual(shownBy(order), [2, 1, 3]);
});

test("held, it stays, and counts what waits", () => {
  const live = range(3);
  const order = new RowOrder<number>((row) => row, true);
  order.append(live, 3);
  order.hold();
  live.push(4, 5);
  order.append(live, 5);
  assert.deepEqual([shownBy(order), order.waiting], [[3, 2, 1], 2]);
  order.release();
  assert.deepEqual([shownBy(order), order.waiting], [[5, 4, 3, 2, 1], 0]);
});

test("held, older rows come in and newer ones do not", () => {
  const order = new RowOrder<number>((row) => row, true);
  order.append([5, 6], 2);
  order.hold();
  order.append([5, 6, 7], 3);
  order.replace([3, 4, 5, 6, 7], 3);
  assert.deepEqual([shownBy(order), order.waiting], [[6, 5, 4, 3], 1]);
});

test("held where there was nothing, another filter shows what there is", () => {
  const order = new RowOrder<number>((row) => row, true);
  order.hold();
  order.replace([1, 2], 2);
  assert.deepEqual([shownBy(order), order.waiting], [[2, 1], 0]);
});

test("sorted rows stay sorted while rows are added and dropped", () => {
  const live: number[] = [];
  const order = new RowOrder<number>((row) => row, true);
  order.sortBy((a, b) => (a % 10) - (b % 10) || a - b);
  for (let step = 0; step < 50; step += 1) {
    live.push(step * 2, step * 2 + 1);
    if (step % 7 === 0) live.splice(0, 3);
    order.append(live, step);
    assert.deepEqual(
      shownBy(order),
      [...live].sort((a, b) => (a % 10) - (b % 10) || a - b),
    );
  }
});
