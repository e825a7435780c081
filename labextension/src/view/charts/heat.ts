/**
 * Ten minutes of calls in columns of ten seconds. Columns come again while they grow; each replaces what was told of the same ten
 * seconds, and none outlives the window. Pure: knows neither canvas nor document.
 */
import type { HeatColumn } from "../messages";

export const COLUMNS = 60;
export const COLUMN_S = 10;
export const ROWS_AN_OCTAVE = 2;
/** So that one lonely cell is not as tall as the picture. */
const LEAST_ROWS = 8;

export interface HeatView {
  /** When the oldest of the columns begins. */
  readonly start: number;
  /** One for each ten seconds, oldest first; null: no call ended then. */
  readonly columns: readonly (HeatColumn | null)[];
  readonly lowRow: number;
  readonly highRow: number;
  /** The largest count of a cell; 0: nothing ended well. */
  readonly max: number;
  readonly calls: number;
  readonly failed: number;
}

export class HeatWindow {
  private readonly columns = new Map<number, HeatColumn>();

  take(columns: readonly HeatColumn[]): void {
    for (const column of columns) this.columns.set(column.at, column);
  }

  clear(): void {
    this.columns.clear();
  }

  /** What is to be seen at this time; older columns are forgotten. */
  view(now: number): HeatView {
    const newest = Math.max(Math.floor(now / COLUMN_S) * COLUMN_S, ...this.columns.keys());
    const start = newest - (COLUMNS - 1) * COLUMN_S;
    for (const at of this.columns.keys()) if (at < start) this.columns.delete(at);
    const columns = Array.from({ length: COLUMNS }, (_, i) => this.columns.get(start + i * COLUMN_S) ?? null);
    return { start, columns, ...rowsOf(columns), ...sums(columns) };
  }
}

/** How many calls a cell stands for. */
export function cellCount(column: HeatColumn | null | undefined, row: number): number {
  return column?.cells?.find(([each]) => each === row)?.[1] ?? 0;
}

/** How strongly a cell is painted, 0 to 1: by the logarithm, so that the single slow call is seen beside ten thousand quick ones. */
export function intensity(n: number, max: number): number {
  if (n <= 0) return 0;
  return 0.22 + 0.78 * (max > 1 ? Math.log(n) / Math.log(max) : 1);
}

function rowsOf(columns: readonly (HeatColumn | null)[]): { lowRow: number; highRow: number } {
  const rows = columns.flatMap((column) => (column?.cells ?? []).map(([row]) => row));
  // About a millisecond, where there is nothing to go by.
  const low = rows.length ? Math.min(...rows) : -24;
  const high = rows.length ? Math.max(...rows) : -17;
  const missing = Math.max(0, LEAST_ROWS - (high - low + 1));
  return { lowRow: low - Math.floor(missing / 2), highRow: high + Math.ceil(missing / 2) };
}

function sums(columns: readonly (HeatColumn | null)[]): { max: number; calls: number; failed: number } {
  const counts = columns.flatMap((column) => (column?.cells ?? []).map(([, n]) => n));
  const failed = columns.reduce((sum, column) => sum + (column?.failed ?? 0), 0);
  return { max: Math.max(0, ...counts), calls: counts.reduce((sum, n) => sum + n, 0), failed };
}
