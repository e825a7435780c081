/**
 * Calls against time on a canvas: a lane for each session, each bar in its parts (wait, run, send), notifications and versions of
 * DataFrames as marks. Wheel, drag and keys move it. What is under the pointer or was chosen is told to whoever made it.
 */
import { el } from "../dom";
import type { OpenCall } from "../messages";
import { Colours, type Palette } from "./colours";
import { type Bar, fitted, type Lanes, panned, ROW, type Sight, zoomed } from "./lanes";
import { paintScene } from "./painting";
import { type Found, Scene } from "./scene";

const DRAG = 4;
const LIVE_S = 30;
const LONGEST_LIVE_S = 600;
const WHEEL = 0.0015;

/** What is in sight: what happens now; all there is, as it grows; the same until something happens; where somebody moved it. */
export type Following = "now" | "all" | "quiet" | "nothing";

export interface WaterfallEvents {
  /** Something else is under the pointer, or was chosen by keys; undefined: nothing. */
  pointed(found: Found | undefined): void;
  /** A call is to be opened. */
  opened(bar: Bar): void;
  /** It follows something else from now on. */
  following(what: Following): void;
  closed(): void;
}

export class Waterfall {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  following: Following = "now";
  private readonly scene: Scene;
  private readonly spacer = el("div", { class: "mcpw-waterfall-spacer" });
  private readonly colours: Colours;
  private readonly sizes: ResizeObserver;
  private drag: { x: number; y: number; sight: Sight; top: number; moved: boolean } | undefined;
  private frame = 0;
  private palette: Palette | undefined;

  constructor(
    private readonly lanes: Lanes,
    private readonly now: () => number,
    private readonly events: WaterfallEvents,
  ) {
    this.scene = new Scene(lanes, { start: now() - LIVE_S, end: now() });
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

  /** The calls that go on. */
  get open(): readonly OpenCall[] {
    return this.scene.open;
  }

  set open(calls: readonly OpenCall[]) {
    this.scene.open = calls;
  }

  /** Draw it with the next frame. */
  draw(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
  }

  shown(): void {
    this.colours.follow();
    this.recolour();
  }

  private recolour(): void {
    this.palette = undefined;
    this.draw();
  }

  /** From now on it moves with time. */
  goLive(): void {
    const seen = this.following === "quiet" ? LIVE_S : this.scene.sight.end - this.scene.sight.start;
    this.scene.sight = { start: this.now() - Math.min(seen, LONGEST_LIVE_S), end: this.now() };
    this.follow("now");
  }

  /** All calls, first to last. */
  fit(): void {
    this.follow("all");
  }

  /** The same, where nothing has happened lately: whoever made it says when something does. */
  rest(): void {
    this.follow("quiet");
  }

  zoom(by: number, around = (this.scene.sight.start + this.scene.sight.end) / 2): void {
    // What moves with time keeps its end.
    if (this.following !== "now") return this.look(zoomed(this.scene.sight, by, around));
    this.scene.sight = zoomed(this.scene.sight, by, this.scene.sight.end);
    this.draw();
  }

  unchoose(): void {
    this.mark(undefined);
  }

  /** This call is the chosen one, also where its bar is still to come. */
  mark(seq: number | undefined): void {
    this.scene.chosen = seq;
    this.draw();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.sizes.disconnect();
    this.colours.dispose();
  }

  private look(sight: Sight): void {
    this.scene.sight = sight;
    this.follow("nothing");
  }

  private follow(what: Following): void {
    const before = this.following;
    this.following = what;
    this.scene.sight = this.sight();
    if (what !== before) this.events.following(what);
    this.draw();
  }

  /** What it follows, as it stands now. */
  private sight(): Sight {
    const { sight } = this.scene;
    const now = this.now();
    if (this.following === "now") return { start: now - (sight.end - sight.start), end: now };
    const { whole } = this.lanes;
    if (this.following === "nothing" || !whole) return sight;
    return fitted(this.open.length ? { ...whole, end: now } : whole);
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
    if (sideways) this.look(panned(this.scene.sight, (event.deltaX || event.deltaY) / Math.max(1, this.scene.width)));
    else this.zoom(Math.exp(event.deltaY * WHEEL * (event.ctrlKey ? 4 : 1)), this.scene.timeAt(event.offsetX));
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.clientX, y: event.clientY, sight: this.scene.sight, top: this.element.scrollTop, moved: false };
  }

  private move(event: PointerEvent): void {
    const { drag } = this;
    if (!drag) return this.events.pointed(this.scene.at(event.offsetX, event.offsetY));
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moved ||= Math.hypot(dx, dy) > DRAG;
    if (!drag.moved) return;
    this.element.scrollTop = drag.top - dy;
    this.look(panned(drag.sight, -dx / Math.max(1, this.scene.width)));
  }

  private release(event: PointerEvent): void {
    const { drag } = this;
    this.drag = undefined;
    if (!drag || drag.moved) return;
    const found = this.scene.at(event.offsetX, event.offsetY);
    if (found && "bar" in found) this.choose(found.bar, true);
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const does: Record<string, () => void> = {
      ArrowLeft: () => this.look(panned(this.scene.sight, -0.15)),
      ArrowRight: () => this.look(panned(this.scene.sight, 0.15)),
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
    const at = bars.findIndex(({ span }) => span.seq === this.scene.chosen);
    const inView = bars.findIndex(({ start }) => start >= this.scene.sight.start);
    const bar = at < 0 ? bars[inView < 0 ? bars.length - 1 : inView] : bars[at + by];
    if (!bar) return;
    const { start, end } = this.scene.sight;
    if (bar.end < start || bar.start > end) this.look(panned(this.scene.sight, (bar.start - (start + end) / 2) / (end - start)));
    this.choose(bar, false);
  }

  private openChosen(): void {
    const bar = this.lanes.ordered().find(({ span }) => span.seq === this.scene.chosen);
    if (bar) this.events.opened(bar);
  }

  private choose(bar: Bar, open: boolean): void {
    this.scene.chosen = bar.span.seq;
    this.events.pointed({ bar });
    if (open) this.events.opened(bar);
    this.draw();
  }

  // --- drawing -----------------------------------------------------------------------------------------------------------

  private paint(): void {
    this.frame = 0;
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || !clientHeight) return;
    this.scene.resize(clientWidth);
    this.scene.now = this.now();
    this.scene.top = this.element.scrollTop;
    this.scene.sight = this.sight();
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    if (!context) return;
    this.palette ??= this.colours.palette();
    const { palette } = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const content = paintScene(this.scene, context, palette, clientHeight);
    this.spacer.style.height = `${Math.max(0, content - clientHeight)}px`;
  }
}
