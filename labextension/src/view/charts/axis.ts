/** Where axes have their marks, and where labels go so that none lies on another. Pure: knows neither canvas nor document. */
import { octavesOf, usOf } from "./buckets";

export interface Tick {
  /** Octaves, as in `buckets.ts`. */
  readonly at: number;
  readonly label: string;
}

/** What is marked in each decade, from few marks to many. */
const STEPS: readonly (readonly number[])[] = [
  [1],
  [1, 2, 5],
  [1, 2, 3, 4, 5, 6, 7, 8, 9],
  Array.from({ length: 90 }, (_, i) => 1 + i / 10),
  Array.from({ length: 900 }, (_, i) => 1 + i / 100),
];

/** Finer ones are for axes that would have no two marks without them. */
const COARSE = 9;

/** `200 µs`, `1.5 s`: a round duration without the zeros that a measured one has. */
export function roundLabel(us: number): string {
  const [unit, size] = us < 1 ? ["ns", 1e-3] : us < 1e3 ? ["µs", 1] : us < 1e6 ? ["ms", 1e3] : ["s", 1e6];
  return `${Number((us / (size as number)).toPrecision(3))} ${unit}`;
}

function stepped(low: number, high: number, steps: readonly number[]): Tick[] {
  const ticks: Tick[] = [];
  const last = Math.floor(Math.log10(usOf(high)));
  for (let decade = Math.floor(Math.log10(usOf(low))); decade <= last; decade += 1) {
    for (const step of steps) {
      const us = step * 10 ** decade;
      const at = octavesOf(us);
      if (at >= low && at <= high) ticks.push({ at, label: roundLabel(us) });
    }
  }
  return ticks;
}

/**
 * Round durations between two positions: as many as fit where `most` stand evenly, none nearer to another; the roundest first, and every
 * n-th where decades are many.
 */
export function durationTicks(low: number, high: number, most: number): Tick[] {
  const decades = stepped(low, high, [1]);
  const apart = (high - low) / Math.max(1, most);
  if (decades.length > most) {
    const each = Math.max(Math.ceil(decades.length / Math.max(1, most)), Math.ceil(apart / Math.log2(10)));
    return decades.filter((_, i) => i % each === 0);
  }
  const ticks: Tick[] = [];
  for (const steps of STEPS) {
    if (ticks.length > 1 && steps.length > COARSE) break;
    for (const tick of stepped(low, high, steps))
      if (ticks.length < most && ticks.every(({ at }) => at !== tick.at && Math.abs(at - tick.at) >= apart)) ticks.push(tick);
  }
  return ticks.sort((a, b) => a.at - b.at);
}

/** Round numbers from 0 to `max`, at most `most` beside the 0; whole ones unless told otherwise. */
export function numberTicks(max: number, most: number, whole = true): number[] {
  if (!(max > 0)) return [0];
  const wanted = max / Math.max(1, most);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((each) => each * decade).find((each) => each >= wanted * (1 - 1e-9)) ?? wanted;
  const each = whole ? Math.max(1, step) : step;
  return Array.from({ length: Math.floor(max / each + 1e-9) + 1 }, (_, i) => Number((i * each).toPrecision(6)));
}

export interface Label {
  /** Where its line is, in pixels. */
  readonly x: number;
  readonly width: number;
}

export interface Placed {
  /** Where its text begins. */
  readonly left: number;
  /** 0: the uppermost row. */
  readonly row: number;
}

/**
 * A place beside each line, ascending by `x`: to its right, or to its left where `room` ends; in the uppermost row in which nothing
 * is in the way.
 */
export function placed(labels: readonly Label[], room: number, gap = 4): Placed[] {
  const rows: [number, number][][] = [];
  return labels.map(({ x, width }) => {
    const right = x + gap;
    const left = right + width <= room ? right : Math.max(0, x - gap - width);
    const isFree = (taken: [number, number][]) => taken.every(([from, to]) => left >= to + gap || left + width + gap <= from);
    const found = rows.findIndex(isFree);
    const row = found === -1 ? rows.push([]) - 1 : found;
    rows[row]?.push([left, left + width]);
    return { left, row };
  });
}
