/** Which lines of two texts differ: the longest common part in order, found where the texts are not too long for that. Pure. */

/** A line of either text, or of both. */
export interface Pair {
  left?: string;
  right?: string;
}

/** Pairs of lines compared at most; longer middles are set against each other line by line. */
const MOST = 4_000_000;

export function isSame({ left, right }: Pair): boolean {
  return left !== undefined && left === right;
}

/** The lines side by side; what stands in one of them only has nothing beside it. */
export function pairs(left: readonly string[], right: readonly string[]): Pair[] {
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1;
  let tail = 0;
  while (tail < left.length - head && tail < right.length - head && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  const same = (lines: readonly string[]) => lines.map((line) => ({ left: line, right: line }));
  const middle = between(left.slice(head, left.length - tail), right.slice(head, right.length - tail));
  return [...same(left.slice(0, head)), ...beside(middle), ...same(left.slice(left.length - tail))];
}

function between(left: readonly string[], right: readonly string[]): Pair[] {
  if (left.length * right.length > MOST) return [...left.map((one) => ({ left: one })), ...right.map((one) => ({ right: one }))];
  const width = right.length + 1;
  // How many lines are common from here to the ends.
  const common = new Uint32Array((left.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row -= 1)
    for (let column = right.length - 1; column >= 0; column -= 1)
      common[row * width + column] =
        left[row] === right[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
  const found: Pair[] = [];
  let [row, column] = [0, 0];
  while (row < left.length || column < right.length) {
    const [one, other] = [left[row], right[column]];
    if (one !== undefined && one === other) {
      found.push({ left: one, right: other });
      row += 1;
      column += 1;
    } else if (one !== undefined && (other === undefined || at(row + 1, column) >= at(row, column + 1))) {
      found.push({ left: one });
      row += 1;
    } else {
      found.push({ right: other as string });
      column += 1;
    }
  }
  return found;
}

/** Lines that differ stand beside each other, the first with the first. */
function beside(found: readonly Pair[]): Pair[] {
  const set: Pair[] = [];
  let [lefts, rights]: [string[], string[]] = [[], []];
  const flush = () => {
    for (let index = 0; index < Math.max(lefts.length, rights.length); index += 1) {
      const [left, right] = [lefts[index], rights[index]];
      set.push({ ...(left !== undefined && { left }), ...(right !== undefined && { right }) });
    }
    [lefts, rights] = [[], []];
  };
  for (const pair of found) {
    if (isSame(pair)) {
      flush();
      set.push(pair);
    } else {
      if (pair.left !== undefined) lefts.push(pair.left);
      if (pair.right !== undefined) rights.push(pair.right);
    }
  }
  flush();
  return set;
}
