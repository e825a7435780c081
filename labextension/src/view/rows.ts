/**
 * The order in which a table shows its rows: as they came (newest first), or by a column; all of them, or those that were there when it
 * was held. Pure; `table.ts` draws it.
 */

export type Compare<Row> = (a: Row, b: Row) => number;

/** From which row to which (not included) is drawn. */
export function windowOf(
  scrolled: number,
  height: number,
  rowHeight: number,
  count: number,
  spare: number,
  most: number,
): [number, number] {
  const first = Math.max(0, Math.min(Math.floor(scrolled / rowHeight) - spare, count - 1));
  const last = Math.min(count, Math.ceil((scrolled + height) / rowHeight) + spare, first + most);
  return [first, Math.max(first, last)];
}

export class RowOrder<Row> {
  private live: readonly Row[] = [];
  private held: readonly Row[] | undefined;
  private heldAt = 0;
  private arrived = 0;
  private compare: Compare<Row> | undefined;
  private sorted: Row[] = [];
  private sortedLength = 0;
  private sortedFirst: Row | undefined;

  /** Args: `place` ascends with age, newest highest; `newestFirst`: unsorted, the last row is shown first. */
  constructor(
    private readonly place: (row: Row) => number,
    private readonly newestFirst: boolean,
  ) {}

  get length(): number {
    return this.base.length;
  }

  get isHeld(): boolean {
    return this.held !== undefined;
  }

  /** How many have arrived since it was held. */
  get waiting(): number {
    return this.held ? this.arrived - this.heldAt : 0;
  }

  at(index: number): Row | undefined {
    if (this.compare) return this.sorted[index];
    return this.base[this.newestFirst ? this.base.length - 1 - index : index];
  }

  /** Where a row with this property is shown; -1: nowhere. */
  find(is: (row: Row) => boolean): number {
    for (let index = 0; index < this.length; index += 1) {
      const row = this.at(index);
      if (row !== undefined && is(row)) return index;
    }
    return -1;
  }

  /** Rows have been added at the end, or dropped at the beginning. */
  append(live: readonly Row[], arrived: number): void {
    this.live = live;
    this.arrived = arrived;
    if (!this.held) this.sort();
  }

  /** Other rows are in, for instance older ones; held, it stays at those that are not newer. */
  replace(live: readonly Row[], arrived: number): void {
    const newest = this.held?.at(-1);
    this.live = live;
    this.arrived = arrived;
    if (this.held) {
      this.held = live.filter((row) => newest === undefined || this.place(row) <= this.place(newest));
      this.heldAt = arrived - (live.length - this.held.length);
    }
    this.sort(true);
  }

  hold(): void {
    if (this.held) return;
    this.held = [...this.live];
    this.heldAt = this.arrived;
  }

  release(): void {
    if (!this.held) return;
    this.held = undefined;
    this.sort(true);
  }

  /** undefined: as they came. */
  sortBy(compare: Compare<Row> | undefined): void {
    this.compare = compare;
    this.sort(true);
  }

  private get base(): readonly Row[] {
    return this.held ?? this.live;
  }

  private sort(anew = false): void {
    const base = this.base;
    if (!this.compare) {
      this.sorted = [];
      return;
    }
    if (anew || base[0] !== this.sortedFirst || base.length < this.sortedLength) this.sorted = [...base];
    else this.sorted.push(...base.slice(this.sortedLength)); // Sorting what is nearly sorted is nearly linear.
    this.sorted.sort(this.compare);
    this.sortedLength = base.length;
    this.sortedFirst = base[0];
  }
}
