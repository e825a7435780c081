/**
 * Calls against time on a canvas: a lane for each session, each bar in its parts (wait, run, send), notifications and versions of
 * DataFrames as marks. Wheel, drag and keys move it. What is under the pointer or was chosen is told to whoever made it.
 */
import { colourOf } from "../badge";
import { el, inLine } from "../dom";
import { moment, outcomeClass } from "../format";
import type { Mark, OpenCall } from "../messages";
import { Colours, type Ink, type Palette } from "./colours";
import { clock } from "./heatmap";
import {
  type Bar,
  fitted,
  growing,
  heightOf,
  inSight,
  type Lane,
  type Lanes,
  moments,
  panned,
  ROW,
  type Sight,
  STRIP,
  zoomed,
} from "./lanes";

const FONT = "11px system-ui, sans-serif";
const AXIS = 20;
const BAR = 11;
/** Narrower than this a call is drawn all the same. */
const LEAST = 1.5;
const LABELLED = 34;
const DRAG = 4;
const LIVE_S = 30;
const WHEEL = 0.0015;

/** What somebody points at or has chosen. */
export type Found = { bar: Bar } | { open: OpenCall } | { marks: Mark[] };

export interface WaterfallEvents {
  /** Something else is under the pointer, or was chosen by keys; undefined: nothing. */
  pointed(found: Found | undefined): void;
  /** A call is to be opened. */
  opened(bar: Bar): void;
  /** Whether it follows what happens now. */
  following(is: boolean): void;
  closed(): void;
}

type Rects = Map<Ink, number[]>;

export class Waterfall {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  open: readonly OpenCall[] = [];
  isFollowing = true;
  private sight: Sight;
  private readonly spacer = el("div", { class: "mcpw-waterfall-spacer" });
  private readonly colours: Colours;
  private readonly sizes: ResizeObserver;
  private chosen: number | undefined;
  private drag: { x: number; y: number; sight: Sight; top: number; moved: boolean } | undefined;
  private frame = 0;
  /** Of the canvas, as it was drawn last: asking for it costs a layout, and each bar needs it. */
  private gutter = 0;
  private width = 0;
  private palette: Palette | undefined;

  constructor(
    private readonly lanes: Lanes,
    private readonly now: () => number,
    private readonly events: WaterfallEvents,
  ) {
    this.sight = { start: now() - LIVE_S, end: now() };
    this.colours = new Colours(() => this.recolour());
    this.canvas = el("canvas", {
      class: "mcpw-waterfall-canvas",
      testid: "waterfall",
      role: "application",
      tabindex: 0,
      aria: { label: "Calls against time. Arrows move, plus and minus zoom, comma and full stop go from call to call, Enter opens." },
      on: this.listeners(),
    });
    this.canvas.setAttribute("aria-roledescription", "timeline");
    this.element = el(
      "div",
      { class: "mcpw-waterfall", on: { scroll: () => this.draw() } },
      this.colours.element,
      this.canvas,
      this.spacer,
    );
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.element);
  }

  /** Draw it with the next frame. */
  draw(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
  }

  follow(): void {
    this.colours.follow();
    this.recolour();
  }

  private recolour(): void {
    this.palette = undefined;
    this.draw();
  }

  /** From now on it moves with time. */
  goLive(): void {
    const length = Math.min(this.sight.end - this.sight.start, 600);
    this.sight = { start: this.now() - length, end: this.now() };
    this.setFollowing(true);
  }

  /** All calls, first to last. */
  fit(): void {
    const { whole } = this.lanes;
    if (whole) this.look(fitted(whole));
  }

  zoom(by: number, around = (this.sight.start + this.sight.end) / 2): void {
    // What follows keeps its end.
    if (this.isFollowing) this.sight = zoomed(this.sight, by, this.sight.end);
    else this.sight = zoomed(this.sight, by, around);
    this.draw();
  }

  unchoose(): void {
    this.chosen = undefined;
    this.draw();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.colours.dispose();
  }

  private look(sight: Sight): void {
    this.sight = sight;
    this.setFollowing(false);
  }

  private setFollowing(is: boolean): void {
    if (is !== this.isFollowing) this.events.following(is);
    this.isFollowing = is;
    this.draw();
  }

  // --- what people do ----------------------------------------------------------------------------------------------------

  private listeners(): Record<string, (event: never) => void> {
    return {
      wheel: (event: WheelEvent) => this.wheel(event),
      pointerdown: (event: PointerEvent) => this.press(event),
      pointermove: (event: PointerEvent) => this.move(event),
      pointerup: (event: PointerEvent) => this.release(event),
      pointercancel: () => {
        this.drag = undefined;
      },
      pointerleave: () => this.drag || this.events.pointed(undefined),
      keydown: (event: KeyboardEvent) => this.key(event),
    };
  }

  /** A wheel scrolls what is around until the picture has the focus: else no page could be scrolled past it. */
  private wheel(event: WheelEvent): void {
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const focused = this.canvas.getRootNode() instanceof Node && (this.canvas.getRootNode() as Document).activeElement === this.canvas;
    if (!sideways && !event.ctrlKey && !event.metaKey && !focused) return;
    event.preventDefault();
    if (sideways) this.look(panned(this.sight, (event.deltaX || event.deltaY) / Math.max(1, this.width)));
    else this.zoom(Math.exp(event.deltaY * WHEEL * (event.ctrlKey ? 4 : 1)), this.timeAt(event.offsetX));
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, y: event.clientY, sight: this.sight, top: this.element.scrollTop, moved: false };
  }

  private move(event: PointerEvent): void {
    const { drag } = this;
    if (!drag) return this.events.pointed(this.at(event.offsetX, event.offsetY));
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(dx, dy) > DRAG;
    if (!drag.moved) return;
    this.element.scrollTop = drag.top - dy;
    this.look(panned(drag.sight, -dx / Math.max(1, this.width)));
  }

  private release(event: PointerEvent): void {
    const { drag } = this;
    this.drag = undefined;
    if (!drag || drag.moved) return;
    const found = this.at(event.offsetX, event.offsetY);
    if (found && "bar" in found) this.choose(found.bar, true);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const does: Record<string, () => void> = {
      ArrowLeft: () => this.look(panned(this.sight, -0.15)),
      ArrowRight: () => this.look(panned(this.sight, 0.15)),
      ArrowUp: () => this.element.scrollBy(0, -3 * ROW),
      ArrowDown: () => this.element.scrollBy(0, 3 * ROW),
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      Home: () => this.fit(),
      End: () => this.goLive(),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      Enter: () => this.openChosen(),
      Escape: () => this.events.closed(),
    };
    const act = does[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation(); // Notebooks have keys of their own.
    act();
  }

  private step(by: 1 | -1): void {
    const bars = this.lanes.ordered();
    const at = bars.findIndex(({ span }) => span.seq === this.chosen);
    const inView = bars.findIndex(({ start }) => start >= this.sight.start);
    const bar = at < 0 ? bars[inView < 0 ? bars.length - 1 : inView] : bars[at + by];
    if (!bar) return;
    const { start, end } = this.sight;
    if (bar.end < start || bar.start > end) this.look(panned(this.sight, (bar.start - (start + end) / 2) / (end - start)));
    this.choose(bar, false);
  }

  private openChosen(): void {
    const bar = this.lanes.ordered().find(({ span }) => span.seq === this.chosen);
    if (bar) this.events.opened(bar);
  }

  private choose(bar: Bar, open: boolean): void {
    this.chosen = bar.span.seq;
    this.events.pointed({ bar });
    if (open) this.events.opened(bar);
    this.draw();
  }

  // --- where things are --------------------------------------------------------------------------------------------------

  private x(at: number): number {
    return this.gutter + ((at - this.sight.start) / (this.sight.end - this.sight.start)) * this.width;
  }

  private timeAt(x: number): number {
    return this.sight.start + ((x - this.gutter) / Math.max(1, this.width)) * (this.sight.end - this.sight.start);
  }

  /** Each lane with where it begins on the canvas. */
  private *laid(): Generator<{ lane: Lane; top: number; height: number; open: ReturnType<typeof growing> }> {
    let top = AXIS - this.element.scrollTop;
    for (const lane of this.lanes.lanes) {
      const open = growing(lane, this.open);
      const rows = open.reduce((most, { row }) => Math.max(most, row + 1), lane.rows.length);
      const height = heightOf(rows);
      yield { lane, top, height, open };
      top += height;
    }
  }

  private at(x: number, y: number): Found | undefined {
    if (x < this.gutter) return undefined;
    if (y < AXIS) return this.near(this.lanes.versions, x);
    for (const { lane, top, height, open } of this.laid()) {
      if (y < top || y >= top + height) continue;
      if (y < top + STRIP) return this.near(lane.marks, x);
      const row = Math.floor((y - top - STRIP) / ROW);
      const growingHere = open.find((one) => one.row === row && this.x(one.call.at) <= x && x <= this.x(this.now()));
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

  // --- drawing -----------------------------------------------------------------------------------------------------------

  private paint(): void {
    this.frame = 0;
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.gutter = clientWidth < 480 ? 34 : 132;
    this.width = clientWidth - this.gutter;
    if (this.isFollowing) {
      const length = this.sight.end - this.sight.start;
      this.sight = { start: this.now() - length, end: this.now() };
    }
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    if (!context) return;
    this.palette ??= this.colours.palette();
    const { palette } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    context.font = FONT;
    this.paintTimes(context, palette, clientHeight);
    let content = AXIS;
    for (const { lane, top, height: laneHeight, open } of this.laid()) {
      content += laneHeight;
      if (top + laneHeight >= AXIS && top <= clientHeight) this.paintLane(context, palette, lane, top, laneHeight, open);
    }
    this.paintHead(context, palette);
    this.spacer.style.height = `${Math.max(0, content - clientHeight)}px`;
  }

  private paintTimes(context: CanvasRenderingContext2D, palette: Palette, height: number): void {
    context.strokeStyle = palette.quiet;
    context.beginPath();
    for (const at of moments(this.sight, this.width / 110).at) {
      const x = Math.round(this.x(at)) + 0.5;
      context.moveTo(x, AXIS - 4);
      context.lineTo(x, height);
    }
    context.stroke();
    context.strokeStyle = palette.compare;
    context.setLineDash([3, 3]);
    context.beginPath();
    for (const x of this.apart(this.lanes.versions)) {
      context.moveTo(x + 0.5, AXIS);
      context.lineTo(x + 0.5, height);
    }
    context.stroke();
    context.setLineDash([]);
  }

  /** The axis lies on what is scrolled below it. */
  private paintHead(context: CanvasRenderingContext2D, palette: Palette): void {
    context.fillStyle = palette.ground;
    context.fillRect(0, 0, this.gutter + this.width, AXIS - 3);
    const { step, at } = moments(this.sight, this.width / 110);
    context.fillStyle = palette.text;
    context.textAlign = "left";
    context.textBaseline = "top";
    for (const each of at) if (this.x(each) >= this.gutter) context.fillText(momentText(each, step), this.x(each) + 3, 3, 104);
    context.fillStyle = palette.compare;
    for (const x of this.apart(this.lanes.versions)) diamond(context, x + 0.5, AXIS - 5, 4);
  }

  private paintLane(
    context: CanvasRenderingContext2D,
    palette: Palette,
    lane: Lane,
    top: number,
    height: number,
    open: ReturnType<typeof growing>,
  ): void {
    context.strokeStyle = palette.quiet;
    context.strokeRect(-1, Math.round(top + height) - 0.5, this.gutter + this.width + 2, 0);
    this.paintName(context, palette, lane, top);
    context.save();
    context.beginPath();
    context.rect(this.gutter, Math.max(top, AXIS - 2), this.width, height);
    context.clip();
    this.paintMarks(context, palette, lane, top);
    this.paintBars(context, palette, lane, top + STRIP);
    context.globalAlpha = 0.55;
    for (const { call, row } of open) {
      const [begin, started, end] = [this.x(call.at), this.x(call.started || this.now()), this.x(this.now())];
      const y = top + STRIP + row * ROW;
      context.fillStyle = palette.wait;
      context.fillRect(begin, y, Math.max(started - begin, 0), BAR);
      context.fillStyle = palette.run;
      context.fillRect(started, y, Math.max(end - started, LEAST), BAR);
    }
    context.restore();
  }

  private paintName(context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
    context.save();
    context.beginPath();
    context.rect(0, Math.max(top, AXIS - 2), this.gutter - 4, 1_000);
    context.clip();
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillStyle = SESSION_COLOURS[colourOf(lane.session)] ?? palette.text;
    context.fillRect(2, top + STRIP, 3, BAR);
    context.fillStyle = palette.text;
    const name = this.gutter < 60 || !lane.client ? lane.session : `${lane.session} ${lane.client}`;
    context.fillText(inLine(name, 40), 9, top + STRIP);
    context.restore();
  }

  private paintMarks(context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
    context.fillStyle = palette.main;
    for (const out of [true, false]) {
      const y = top + (out ? 2 : STRIP - 2);
      for (const x of this.apart(lane.marks.filter((mark) => (mark.out ?? false) === out))) {
        context.beginPath();
        context.moveTo(x - 3, y);
        context.lineTo(x + 3, y);
        context.lineTo(x, y + (out ? 5 : -5));
        context.fill();
      }
    }
  }

  /** Whole pixels in sight at which there is a mark. */
  private apart(marks: readonly Mark[]): Set<number> {
    const found = new Set<number>();
    for (const { at } of marks) if (at >= this.sight.start && at <= this.sight.end) found.add(Math.round(this.x(at)));
    return found;
  }

  /** By colour, so that that is set a few times and not for each bar; what would lie on the same pixels is drawn once. */
  private paintBars(context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
    const rects: Rects = new Map();
    const drawnTo: number[] = [];
    const labels: Bar[] = [];
    for (const bar of inSight(lane, this.sight)) {
      const [left, right] = [this.x(bar.start), this.x(bar.end)];
      const failed = outcomeClass(bar.span.outcome) === "bad";
      const chosen = bar.span.seq === this.chosen;
      if (right - left < LEAST && !failed && !chosen && Math.round(left) <= (drawnTo[bar.row] ?? -1)) continue;
      drawnTo[bar.row] = Math.max(drawnTo[bar.row] ?? -1, Math.round(Math.max(right, left)));
      this.addParts(rects, bar, left, right, top + bar.row * ROW);
      if (right - left > LABELLED || chosen) labels.push(bar);
    }
    for (const [ink, found] of rects) {
      context.fillStyle = palette[ink];
      for (let index = 0; index < found.length; index += 4)
        context.fillRect(found[index] as number, found[index + 1] as number, found[index + 2] as number, found[index + 3] as number);
    }
    for (const bar of labels) this.paintLabel(context, palette, bar, top + bar.row * ROW);
  }

  private addParts(rects: Rects, { span, start }: Bar, left: number, right: number, y: number): void {
    const add = (ink: Ink, from: number, to: number, top = y, height = BAR) => {
      const found = rects.get(ink) ?? [];
      if (!rects.has(ink)) rects.set(ink, found);
      found.push(from, top, Math.max(to - from, LEAST), height);
    };
    const tone = outcomeClass(span.outcome);
    if (tone !== "good" || right - left < 3) {
      add(tone === "good" ? "run" : tone === "bad" ? "failed" : "compare", left, right);
      if (tone === "bad") add("text", left, Math.min(right, left + 4), y + BAR, 2); // Told by a shape, too.
      return;
    }
    const started = this.x(start + (span.waitUs ?? 0) / 1e6);
    const returned = this.x(start + ((span.waitUs ?? 0) + (span.runUs ?? 0)) / 1e6);
    add("run", left, right);
    if (started - left > 0.5) add("wait", left, started);
    if (right - returned > 0.5) add("send", returned, right);
  }

  private paintLabel(context: CanvasRenderingContext2D, palette: Palette, bar: Bar, y: number): void {
    const [left, right] = [Math.max(this.x(bar.start), this.gutter), this.x(bar.end)];
    if (bar.span.seq === this.chosen) {
      context.strokeStyle = palette.text;
      context.lineWidth = 2;
      context.strokeRect(left - 1, y - 1, Math.max(right - left, LEAST) + 2, BAR + 2);
      context.lineWidth = 1;
    }
    if (right - left < LABELLED) return;
    context.save();
    context.beginPath();
    context.rect(left, y, right - left - 2, BAR + 1);
    context.clip();
    context.fillStyle = "#fff";
    context.textAlign = "left";
    context.textBaseline = "top";
    context.fillText(inLine(bar.span.target || bar.span.method, 80), left + 3, y);
    context.restore();
  }
}

/** As `style.css` has them, for a canvas. */
const SESSION_COLOURS = ["#6b5bd2", "#1f77b4", "#b3541e", "#2a7f62", "#b03a78", "#7a6a16", "#0f7c8c", "#8a4b4b"];

function diamond(context: CanvasRenderingContext2D, x: number, y: number, half: number): void {
  context.beginPath();
  context.moveTo(x, y - half);
  context.lineTo(x + half, y);
  context.lineTo(x, y + half);
  context.lineTo(x - half, y);
  context.fill();
}

/** A moment as finely as the axis stands apart: `10:05:03`, `10:05:03.250`, `.250 125`. */
export function momentText(at: number, step: number): string {
  if (step >= 60) return clock(at, false);
  if (step >= 1) return clock(at);
  if (step >= 0.001) return moment(at + 1e-7, { millis: true });
  const micros = Math.round((at % 1) * 1e6);
  return `.${String(Math.floor(micros / 1_000)).padStart(3, "0")} ${String(micros % 1_000).padStart(3, "0")} s`;
}
