import assert from "node:assert/strict";
import test from "node:test";
import { isSame, type Pair, pairs } from "../src/view/difference";
import { lines, parse } from "../src/view/json";

const written = (found: readonly Pair[]) => found.map((pair) => `${pair.left ?? ""}${isSame(pair) ? "=" : "≠"}${pair.right ?? ""}`);

test("lines that are the same stand beside each other, others are set against each other", () => {
  assert.deepEqual(written(pairs(["a", "b", "c", "d"], ["a", "x", "y", "d"])), ["a=a", "b≠x", "c≠y", "d=d"]);
  assert.deepEqual(written(pairs(["a", "b", "c"], ["a", "c"])), ["a=a", "b≠", "c=c"]);
  assert.deepEqual(written(pairs(["b", "k", "c"], ["x", "k", "y", "z"])), ["b≠x", "k=k", "c≠y", "≠z"]);
  assert.deepEqual([pairs([], []), written(pairs([], ["a"])), written(pairs(["a"], []))], [[], ["≠a"], ["a≠"]]);
});

test("nothing is lost and nothing added, whatever the texts", () => {
  let seed = 7;
  const next = (n: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % n;
  };
  for (let round = 0; round < 200; round += 1) {
    const [left, right] = [0, 1].map(() => Array.from({ length: next(12) }, () => "abc"[next(3)] as string)) as [string[], string[]];
    const found = pairs(left, right);
    assert.deepEqual(
      found.flatMap((pair) => pair.left ?? []),
      left,
    );
    assert.deepEqual(
      found.flatMap((pair) => pair.right ?? []),
      right,
    );
  }
});

test("very long texts are compared without looking for the common part", () => {
  const long = (mark: string) => Array.from({ length: 3_000 }, (_, index) => `${mark}${index}`);
  const found = pairs(["head", ...long("a"), "tail"], ["head", ...long("b"), "tail"]);
  assert.deepEqual([found.length, found.filter(isSame).length], [3_002, 2]);
});

test("JSON is written with members in order, and numbers as they were", () => {
  assert.deepEqual(lines(parse('{"b":[1,12345678901234567890],"a":{}}')), [
    "{",
    '  "a": {},',
    '  "b": [',
    "    1,",
    "    12345678901234567890",
    "  ]",
    "}",
  ]);
});
