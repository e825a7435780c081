/** The lanes as they lie on a canvas: which moment is where, what is under a point. It knows pixels, and neither canvas nor document. */
import type { Mark, OpenCall } from "../messages";
import { type Bar, growing, heightOf, inSight, type Lane, type Lanes, ROW, type Sight, STRIP } from "./lanes";

/** Above the lanes: times. */
export const AXIS = 20;
/** Narrower than this a call is drawn all the same. */
export const LEAST = 1.5;
const NARROW = 480;

/** What somebody points at or has chosen. */
export type Found = { bar: Bar } | { open: OpenCall } | { marks: Mark[] };

/** A lane, where it begins, and the calls in it that go on. */
export interface LaidLane {
  readonly lane: Lane;
  readonly top: number;
  readonly height: number;
  readonly open: readonly { call: OpenCall; row: number }[];
}

export class Scene {
  open: readonly OpenCall[] = [];
  /** `seq` of the call that was chosen. */
  chosen: number | undefined;
  /** Seconds since 1970. */
  now = 0;
  /** How far it is scrolled down. */
  top = 0;
  /** Left of the times: names of sessions. */
  gutter = 0;
  /** Right of that. */
  width = 0;

  constructor(
    readonly lanes: Lanes,
    public sight: Sight,
  ) {}

  /** The canvas is so wide. */
  resize(width: number): void {
    this.gutter = width < NARROW ? 34 : 132;
    this.width = width - this.gutter;
  }

  x(at: number): number {
    return this.gutter + ((at - this.sight.start) / (this.sight.end - this.sight.start)) * this.width;
  }

  timeAt(x: number): number {
    return this.sight.start + ((x - this.gutter) / Math.max(1, this.width)) * (this.sight.end - this.sight.start);
  }

  /** Each lane with where it begins on the canvas. */
  *laid(): Generator<LaidLane> {
    let top = AXIS - this.top;
    for (const lane of this.lanes.lanes) {
      const open = growing(lane, this.open);
      const rows = open.reduce((most, { row }) => Math.max(most, row + 1), lane.rows.length);
      const height = heightOf(rows);
      yield { lane, top, height, open };
      top += height;
    }
  }

  /** What is under a point. */
  at(x: number, y: number): Found | undefined {
    if (x < this.gutter) return undefined;
    if (y < AXIS) return this.near(this.lanes.versions, x);
    for (const { lane, top, height, open } of this.laid()) {
      if (y < top || y >= top + height) continue;
      if (y < top + STRIP) return this.near(lane.marks, x);
      const row = Math.floor((y - top - STRIP) / ROW);
      const growingHere = open.find((one) => one.row === row && this.x(one.call.at) <= x && x <= this.x(this.now));
      return growingHere ? { open: growingHere.call } : this.barAt(lane, row, x);
    }
    return undefined;
  }

  private barAt(lane: Lane, row: number, x: number): Found | undefined {
    let best: Bar | undefined;
    let nearest = 3;
    for (const bar of inSight(lane, { start: this.timeAt(x - 4), end: this.timeAt(x + 4) })) {
      if (bar.row !== row) continue;
      const away = Math.max(this.x(bar.start) - x, x - Math.max(this.x(bar.end), this.x(bar.start) + LEAST), 0);
      if (away > nearest) continue;
      nearest = away;
      best = bar;
    }
    return best && { bar: best };
  }

  private near(marks: readonly Mark[], x: number): Found | undefined {
    const found = marks.filter(({ at }) => Math.abs(this.x(at) - x) <= 4);
    return found.length ? { marks: found } : undefined;
  }
}
