/**
 * From the buckets of a message to the bars of a chart. Positions on the axis of durations are octaves: the binary logarithm of
 * seconds, so that equal ratios are equally wide and bars are equally wide too. Pure: knows neither canvas nor document.
 */

export const BUCKETS_AN_OCTAVE = 32;
export const MOST_BARS = 80;

export type Buckets = readonly (readonly [number, number])[];

/** Which buckets the bars of one picture join: bar `j` holds `width` buckets from `first + j * width` on. */
export interface Bars {
  readonly width: number;
  readonly first: number;
  readonly length: number;
}

/** The fewest buckets a bar with which all these histograms fit into `most` bars; none: nothing was counted. */
export function barsFor(histograms: readonly Buckets[], most: number = MOST_BARS): Bars | null {
  let low = Infinity;
  let high = -Infinity;
  for (const buckets of histograms) {
    for (const [index] of buckets) {
      low = Math.min(low, index);
      high = Math.max(high, index);
    }
  }
  if (low > high) return null;
  let width = 1;
  while (Math.floor(high / width) - Math.floor(low / width) + 1 > most) width *= 2;
  const first = Math.floor(low / width);
  return { width, first: first * width, length: Math.floor(high / width) - first + 1 };
}

/** The counts of one histogram in these bars. */
export function merged(buckets: Buckets, bars: Bars): number[] {
  const counts = new Array<number>(bars.length).fill(0);
  for (const [index, n] of buckets) {
    const bar = Math.floor((index - bars.first) / bars.width);
    if (bar >= 0 && bar < bars.length) counts[bar] = (counts[bar] ?? 0) + n;
  }
  return counts;
}

/** Where a bar begins, in octaves; that of `bars.length` is where the last one ends. */
export function barStart(bars: Bars, bar: number): number {
  return (bars.first + bar * bars.width) / BUCKETS_AN_OCTAVE;
}

/** The bar at a position, or null beside them. */
export function barAt(bars: Bars, octaves: number): number | null {
  const bar = Math.floor((octaves * BUCKETS_AN_OCTAVE - bars.first) / bars.width);
  return bar >= 0 && bar < bars.length ? bar : null;
}

export function octavesOf(us: number): number {
  return Math.log2(us / 1e6);
}

export function usOf(octaves: number): number {
  return 2 ** octaves * 1e6;
}
