/**
 * Rows that the kernel has numbered and a view holds: up to 50,000, ascending, and those of them that are to be seen. What is new costs
 * as much as is new, not as much as is there. Where the kernel filters, only what fits is here, and numbers say nothing of what is
 * missing: then a gap stands where the kernel says that there is one. Pure: no document, no clock.
 */

export const MOST = 50_000;
/** Dropped together, so that arrays are not moved for each one. */
const SLACK = 2_000;

export interface Numbered {
  readonly seq: number;
}

/** Rows between two that are here: they came too many at once. */
export interface Gap {
  gap: number;
  /** `seq` of the next one that is here. */
  before: number;
  /** What to ask for to fill it; left out: `before`. */
  ask?: number;
}
export type Entry<Row extends Numbered> = Row | Gap;

export function isGap<Row extends Numbered>(entry: Entry<Row>): entry is Gap {
  return "gap" in entry;
}

/** Where an entry stands; ascending. */
export function place<Row extends Numbered>(entry: Entry<Row>): number {
  return isGap(entry) ? entry.before - 0.5 : entry.seq;
}

/** What has happened: `Calls`, `Messages`. */
export interface News<Row> {
  rows?: readonly Row[];
  skipped?: number;
  oldest?: number;
  newest?: number;
  since?: number;
  filter?: string;
}

/** What happened before: `OlderCalls`, `OlderMessages`. */
export interface Older<Row> {
  rows?: readonly Row[];
  oldest?: number;
  reached?: number;
}

export class Ledger<Row extends Numbered> {
  /** What is to be seen, ascending: rows that are wanted, and gaps. */
  entries: Entry<Row>[] = [];
  /** How many rows are wanted. */
  matched = 0;
  /** How many have arrived that are wanted, dropped ones included; only grows until `clear`. */
  arrived = 0;
  /** The filter by which the kernel chooses; empty: it tells all. */
  filter = "";
  protected rows: Row[] = [];
  private oldest = 0;
  private newest = 0;
  /** With a filter: down to here all that fits is here. */
  private floor = 0;
  /** `seq` of rows before which the kernel has nothing that is not here. */
  private readonly closed = new Set<number>();
  /** With a filter: by the `seq` of the row that follows. */
  private readonly gaps = new Map<number, Gap>();

  /** How many rows are held. */
  get total(): number {
    return this.rows.length;
  }

  /** `seq` before which older ones can be had; 0: there are none, or no room. */
  get olderThan(): number {
    const first = this.filter ? this.floor : (this.rows[0]?.seq ?? 0);
    return first > Math.max(this.oldest, 1) && !this.closed.has(first) && this.rows.length < MOST ? first : 0;
  }

  /** How many rows the kernel keeps, here or not; by no filter. */
  get kept(): number {
    return this.oldest ? Math.max(0, this.newest - this.oldest + 1) : 0;
  }

  /** How many of those are not here. With a filter: that fit and are known not to be here. */
  get missing(): number {
    if (this.filter) return [...this.gaps.values()].reduce((sum, { gap }) => sum + gap, 0);
    return Math.max(0, this.kept - (this.rows.length - firstFrom(this.rows, this.oldest)));
  }

  /** What to ask for next to have more of what is missing, the newest first; 0: there is no more, or no room. */
  get wanting(): number {
    if (this.rows.length >= MOST) return 0;
    for (let index = this.entries.length - 1; index >= 0; index -= 1) {
      const entry = this.entries[index];
      if (entry && isGap(entry)) return entry.ask ?? entry.before;
    }
    return this.olderThan;
  }

  /** Whether the kernel has said anything by this filter. */
  get begun(): boolean {
    return this.floor > 0;
  }

  /** News; what was chosen by another filter comes too late and is passed over. */
  add(message: News<Row>): void {
    if ((message.filter ?? "") !== this.filter) return;
    this.oldest = message.oldest ?? this.oldest;
    this.newest = message.newest ?? this.newest;
    if (!this.floor) this.floor = message.since ?? 1;
    const fresh = (message.rows ?? []).filter((row) => row.seq > (this.rows.at(-1)?.seq ?? 0));
    if (this.filter && message.skipped) this.miss(message.skipped, fresh);
    for (const row of fresh) {
      const last = this.rows.at(-1);
      this.count(row, 1);
      this.rows.push(row);
      this.see(row, last);
    }
    if (this.rows.length > MOST + SLACK) this.drop(this.rows.length - MOST);
  }

  /** Args: `before` as it was asked for. */
  addOlder(message: Older<Row>, before: number): void {
    this.oldest = message.oldest ?? this.oldest;
    const have = new Set(this.rows.map((row) => row.seq));
    const fresh = (message.rows ?? []).filter((row) => !have.has(row.seq));
    this.rows = [...this.rows, ...fresh].sort((a, b) => a.seq - b.seq);
    this.close(message, before);
    this.recount();
    this.refill();
  }

  /** From now on the kernel chooses by this; everything is told anew. */
  begin(filter: string): void {
    this.clear();
    this.filter = filter;
  }

  clear(): void {
    this.rows = [];
    this.entries = [];
    this.matched = this.arrived = this.oldest = this.newest = this.floor = 0;
    this.closed.clear();
    this.gaps.clear();
    this.recount();
  }

  /** Whether a row is to be seen. */
  protected wants(_row: Row): boolean {
    return true;
  }

  /** A row has come (1) or gone (-1); in order as they come. */
  protected count(_row: Row, _by: 1 | -1): void {}

  /** Count everything from the beginning. */
  protected recount(): void {
    for (const row of this.rows) this.count(row, 1);
  }

  protected refill(): void {
    this.entries = [];
    this.matched = 0;
    const arrived = this.arrived;
    this.rows.forEach((row, index) => {
      this.see(row, this.rows[index - 1]);
    });
    this.arrived = arrived;
  }

  private miss(gap: number, fresh: readonly Row[]): void {
    const first = fresh[0];
    const last = fresh.at(-1);
    if (first && last) this.gaps.set(first.seq, { gap, before: first.seq, ask: last.seq + 1 });
  }

  /** Between these the kernel has told all it has. */
  private close(message: Older<Row>, before: number): void {
    const rows = message.rows ?? [];
    const lowest = rows.reduce((low, row) => Math.min(low, row.seq), before);
    if (!rows.length) this.closed.add(before);
    if (!this.filter) {
      for (const row of this.rows) if (row.seq > lowest && row.seq <= before) this.closed.add(row.seq);
      return;
    }
    const reached = message.reached ?? lowest;
    if (before === this.floor) this.floor = reached;
    for (const seq of [...this.gaps.keys()]) if (seq >= reached && seq < before) this.gaps.delete(seq);
  }

  private see(row: Row, last: Row | undefined): void {
    const gap = this.filter ? this.gaps.get(row.seq) : this.gapBefore(row, last);
    if (gap) this.entries.push(gap);
    if (!this.wants(row)) return;
    this.entries.push(row);
    this.matched += 1;
    this.arrived += 1;
  }

  private gapBefore(row: Row, last: Row | undefined): Gap | undefined {
    if (!last || row.seq <= last.seq + 1 || this.closed.has(row.seq)) return undefined;
    return { gap: row.seq - last.seq - 1, before: row.seq };
  }

  private drop(n: number): void {
    for (const row of this.rows.splice(0, n)) this.count(row, -1);
    const first = this.rows[0]?.seq ?? 0;
    this.floor = Math.max(this.floor, first);
    const kept = this.entries.findIndex((entry) => place(entry) >= first);
    const gone = this.entries.splice(0, kept < 0 ? this.entries.length : kept);
    this.matched -= gone.filter((entry) => !isGap(entry)).length;
  }
}

/** Index of the first row that is not before a number. */
function firstFrom(rows: readonly Numbered[], seq: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
