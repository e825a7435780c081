/**
 * What the chart of durations draws, as numbers: bars of one tool or shares of two, failed calls apart, lines at the quantiles. Where
 * two tools are compared the bars are shares, since one of them may be called a thousand times as often. Pure: knows neither canvas
 * nor document.
 */
import { duration, number } from "../format";
import type { Histogram, Quantiles } from "../messages";
import { type Bars, barStart, barsFor, merged, octavesOf } from "./buckets";

export const QUANTILES: readonly (readonly [keyof Quantiles, string])[] = [
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p999", "p99.9"],
];

export interface Shown {
  readonly main: Histogram | null;
  readonly compare: Histogram | null;
  readonly failed: Histogram | null;
}

/** What the chart draws, as numbers. */
export interface Distribution {
  readonly bars: Bars;
  /** Calls a bar, or shares of their own histogram in percent where two are compared. */
  readonly main: readonly number[];
  readonly compare: readonly number[] | null;
  /** Calls a bar. */
  readonly failed: readonly number[] | null;
  readonly shares: boolean;
}

/** Null: there is nothing to draw. */
export function distributionOf({ main, compare, failed }: Shown): Distribution | null {
  const bars = barsFor([main, compare, failed].map((each) => each?.buckets ?? []));
  if (bars === null) return null;
  const shares = compare !== null;
  const heights = (of: Histogram | null) => {
    const counts = merged(of?.buckets ?? [], bars);
    const all = counts.reduce((sum, n) => sum + n, 0);
    return shares ? counts.map((n) => (all > 0 ? (100 * n) / all : 0)) : counts;
  };
  return {
    bars,
    main: heights(main),
    compare: compare && heights(compare),
    failed: failed?.n ? merged(failed.buckets ?? [], bars) : null,
    shares,
  };
}

export interface Line {
  readonly at: number;
  readonly name: string;
  readonly us: number;
}

/** Where quantiles stand, ascending; those that too few calls support have no line. */
export function quantileLines(quantiles: Quantiles | undefined): Line[] {
  return QUANTILES.flatMap(([key, name]) => {
    const us = quantiles?.[key];
    return us === null || us === undefined || us <= 0 ? [] : [{ at: octavesOf(us), name, us }];
  });
}

/** What is told of one bar. */
export function barText(distribution: Distribution, bar: number): string {
  const { bars, main, compare, failed, shares } = distribution;
  const [from, to] = [barStart(bars, bar), barStart(bars, bar + 1)].map((at) => duration(2 ** at * 1e6));
  const height = (n: number) => (shares ? `${n.toFixed(1)} %` : calls(n));
  const parts = [height(main[bar] ?? 0)];
  if (compare) parts.push(`compared: ${height(compare[bar] ?? 0)}`);
  if (failed) parts.push(`${number(failed[bar] ?? 0)} failed`);
  return `${from} – ${to}: ${parts.join(", ")}`;
}

function calls(n: number): string {
  return `${number(n)} ${n === 1 ? "call" : "calls"}`;
}
