/**
 * Calls as bars in lanes, one for each session: which stand below each other because they overlap, which are in sight, what is under a
 * point. Times are seconds since 1970, heights pixels. Pure: knows neither canvas nor document.
 */
import type { Mark, OpenCall, Span, Timeline } from "../messages";

export const MOST = 50_000;
const SLACK = 2_000;
export const MOST_MARKS = 20_000;
/** Rows of one lane in which calls stand that overlap; what overlaps more stands in the last. */
export const MOST_ROWS = 12;
export const ROW = 15;
/** Above the rows of a lane: its notifications. */
export const STRIP = 9;
const BELOW = 4;

export interface Bar {
  readonly span: Span;
  readonly start: number;
  readonly end: number;
  readonly row: number;
}

export interface Lane {
  readonly session: string;
  client: string;
  /** In the order in which they ended. */
  readonly bars: Bar[];
  /** The latest end among a bar and those before it: ascends. */
  readonly until: number[];
  /** Where each row ends. */
  readonly rows: number[];
  readonly marks: Mark[];
}

/** What is in sight. */
export interface Sight {
  readonly start: number;
  readonly end: number;
}

export class Lanes {
  lanes: Lane[] = [];
  /** Versions of DataFrames. */
  versions: Mark[] = [];
  total = 0;
  marked = 0;
  /** Calls and marks that the kernel did not tell: too many at once. */
  skipped = 0;
  private spans: Span[] = [];
  private bySession = new Map<string, Lane>();

  add(message: Timeline): void {
    this.skipped += (message.skipped ?? 0) + (message.skippedMarks ?? 0);
    for (const span of message.spans ?? []) {
      this.spans.push(span);
      this.place(span);
    }
    for (const mark of message.marks ?? []) this.mark(mark);
    if (this.spans.length > MOST + SLACK) this.drop();
    this.total = this.spans.length;
  }

  /** Calls that ended before those that are here. */
  addOlder(spans: readonly Span[]): void {
    const have = new Set(this.spans.map(({ seq }) => seq));
    this.spans = [...spans.filter(({ seq }) => !have.has(seq)), ...this.spans].sort((a, b) => a.seq - b.seq);
    this.drop();
    this.total = this.spans.length;
  }

  clear(): void {
    this.lanes = [];
    this.versions = [];
    this.spans = [];
    this.bySession = new Map();
    this.total = this.marked = this.skipped = 0;
  }

  /** From the first arrival to the last end; undefined: there is nothing. */
  get whole(): Sight | undefined {
    let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const { bars, until } of this.lanes) {
      for (const bar of bars) start = Math.min(start, bar.start);
      end = Math.max(end, until.at(-1) ?? end);
    }
    return end < start ? undefined : { start, end };
  }

  /** The lane of a session; made where there is none. */
  lane(session: string, client = ""): Lane {
    const known = this.bySession.get(session);
    if (known) {
      if (client) known.client = client;
      return known;
    }
    const lane: Lane = { session, client, bars: [], until: [], rows: [], marks: [] };
    this.bySession.set(session, lane);
    this.lanes.push(lane);
    return lane;
  }

  /** All bars by when they began. */
  ordered(): Bar[] {
    return this.lanes.flatMap(({ bars }) => bars).sort((a, b) => a.start - b.start || a.span.seq - b.span.seq);
  }

  private place(span: Span): void {
    const lane = this.lane(span.session, span.client);
    const start = span.at;
    const end = start + Math.max(0, span.totalUs) / 1e6;
    const row = rowFor(lane.rows, start);
    lane.rows[row] = Math.max(lane.rows[row] ?? end, end);
    lane.bars.push({ span, start, end, row });
    lane.until.push(Math.max(lane.until.at(-1) ?? end, end));
  }

  private mark(mark: Mark): void {
    const marks = mark.kind === "version" ? this.versions : this.lane(mark.session ?? "").marks;
    marks.push(mark);
    this.marked += 1;
    if (marks.length > MOST_MARKS + SLACK) this.marked -= marks.splice(0, SLACK).length;
  }

  /** The oldest go; those that stay are placed anew, and lanes of which nothing is left go too. */
  private drop(): void {
    const gone = this.spans.splice(0, Math.max(0, this.spans.length - MOST));
    const first = gone.length ? (this.spans[0]?.at ?? 0) : 0;
    const marks = new Map(this.lanes.map(({ session, marks }) => [session, marks.filter(({ at }) => at >= first)]));
    this.lanes = [];
    this.bySession = new Map();
    for (const span of this.spans) this.place(span);
    for (const [session, kept] of marks) if (kept.length) this.lane(session).marks.push(...kept);
    this.marked = this.versions.length + this.lanes.reduce((sum, lane) => sum + lane.marks.length, 0);
  }
}

/** The first row that is free from a moment on. */
export function rowFor(ends: readonly number[], start: number): number {
  const free = ends.findIndex((end) => end <= start);
  return Math.min(free < 0 ? ends.length : free, MOST_ROWS - 1);
}

/** The bars that reach into what is in sight. */
export function* inSight({ bars, until }: Lane, { start, end }: Sight): Generator<Bar> {
  for (let index = firstUntil(until, start); index < bars.length; index += 1) {
    const bar = bars[index];
    if (bar && bar.end >= start && bar.start <= end) yield bar;
  }
}

/** Index of the first that is not before a moment; they ascend. */
export function firstUntil(ascending: readonly number[], at: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Calls that go on, each in the first row that is free below those that have ended. */
export function growing(lane: Lane, open: readonly OpenCall[]): { call: OpenCall; row: number }[] {
  const ends = [...lane.rows];
  return open
    .filter((call) => call.session === lane.session)
    .map((call) => {
      const row = rowFor(ends, call.at);
      ends[row] = Number.POSITIVE_INFINITY;
      return { call, row };
    });
}

/** Pixels that a lane takes. Args: `rows` in use. */
export function heightOf(rows: number): number {
  return STRIP + Math.max(1, rows) * ROW + BELOW;
}

// --- what is in sight ------------------------------------------------------------------------------------------------------

const SHORTEST = 20e-6;
const LONGEST = 86_400;

/** Nearer (below 1) or farther, the moment `around` staying where it is. */
export function zoomed({ start, end }: Sight, by: number, around: number): Sight {
  const length = Math.min(Math.max((end - start) * by, SHORTEST), LONGEST);
  const share = (around - start) / (end - start);
  return { start: around - share * length, end: around + (1 - share) * length };
}

/** Later (above 0) or earlier, by a share of what is in sight. */
export function panned({ start, end }: Sight, share: number): Sight {
  const by = (end - start) * share;
  return { start: start + by, end: end + by };
}

/** All of it, with a little room. */
export function fitted({ start, end }: Sight): Sight {
  const room = Math.max((end - start) * 0.03, SHORTEST);
  return { start: start - room, end: end + room };
}

const STEPS_S = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200];

/** Round moments in sight, at most `most` of them, and how far they stand apart, in seconds. */
export function moments({ start, end }: Sight, most: number): { step: number; at: number[] } {
  const wanted = (end - start) / Math.max(1, most);
  const decade = 10 ** Math.floor(Math.log10(wanted));
  const fine = [1, 2, 5, 10].map((each) => each * decade).find((each) => each >= wanted * (1 - 1e-9)) ?? wanted;
  const step = fine <= 30 ? fine : (STEPS_S.find((each) => each >= wanted) ?? LONGEST);
  const first = Math.ceil(start / step);
  const n = Math.max(0, Math.floor(end / step) - first + 1);
  return { step, at: Array.from({ length: Math.min(n, 100) }, (_, index) => (first + index) * step) };
}
