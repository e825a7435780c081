/** Draws a scene of lanes on a canvas: times, names, bars in their parts, marks. Reads the scene and changes nothing of it. */
import { colourOf } from "../badge";
import { inLine } from "../dom";
import { moment, outcomeClass } from "../format";
import type { Mark } from "../messages";
import type { Ink, Palette } from "./colours";
import { clock } from "./heatmap";
import { type Bar, inSight, type Lane, moments, ROW, STRIP } from "./lanes";
import { AXIS, type LaidLane, LEAST, type Scene } from "./scene";

const FONT = "11px system-ui, sans-serif";
const BAR = 11;
/** A bar that is wider says what it is. */
const LABELLED = 34;

type Rects = Map<Ink, number[]>;

/** Draw all of it; returns the height that all lanes together take. */
export function paintScene(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, height: number): number {
  context.clearRect(0, 0, scene.gutter + scene.width, height);
  context.font = FONT;
  paintTimes(scene, context, palette, height);
  let content = AXIS;
  for (const laid of scene.laid()) {
    content += laid.height;
    if (laid.top + laid.height >= AXIS && laid.top <= height) paintLane(scene, context, palette, laid);
  }
  paintHead(scene, context, palette);
  return content;
}

function paintTimes(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, height: number): void {
  context.strokeStyle = palette.quiet;
  context.beginPath();
  for (const at of moments(scene.sight, scene.width / 110).at) {
    const x = Math.round(scene.x(at)) + 0.5;
    context.moveTo(x, AXIS - 4);
    context.lineTo(x, height);
  }
  context.stroke();
  context.strokeStyle = palette.compare;
  context.setLineDash([3, 3]);
  context.beginPath();
  for (const x of apart(scene, scene.lanes.versions)) {
    context.moveTo(x + 0.5, AXIS);
    context.lineTo(x + 0.5, height);
  }
  context.stroke();
  context.setLineDash([]);
}

/** The axis lies on what is scrolled below it. */
function paintHead(scene: Scene, context: CanvasRenderingContext2D, palette: Palette): void {
  context.fillStyle = palette.ground;
  context.fillRect(0, 0, scene.gutter + scene.width, AXIS - 3);
  const { step, at } = moments(scene.sight, scene.width / 110);
  context.fillStyle = palette.text;
  context.textAlign = "left";
  context.textBaseline = "top";
  for (const each of at) if (scene.x(each) >= scene.gutter) context.fillText(momentText(each, step), scene.x(each) + 3, 3, 104);
  context.fillStyle = palette.compare;
  for (const x of apart(scene, scene.lanes.versions)) diamond(context, x + 0.5, AXIS - 5, 4);
}

function paintLane(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, { lane, top, height, open }: LaidLane): void {
  context.strokeStyle = palette.quiet;
  context.strokeRect(-1, Math.round(top + height) - 0.5, scene.gutter + scene.width + 2, 0);
  paintName(scene, context, palette, lane, top);
  context.save();
  context.beginPath();
  context.rect(scene.gutter, Math.max(top, AXIS - 2), scene.width, height);
  context.clip();
  paintMarks(scene, context, palette, lane, top);
  paintBars(scene, context, palette, lane, top + STRIP);
  context.globalAlpha = 0.55;
  for (const { call, row } of open) {
    const [begin, started, end] = [scene.x(call.at), scene.x(call.started || scene.now), scene.x(scene.now)];
    const y = top + STRIP + row * ROW;
    context.fillStyle = palette.wait;
    context.fillRect(begin, y, Math.max(started - begin, 0), BAR);
    context.fillStyle = palette.run;
    context.fillRect(started, y, Math.max(end - started, LEAST), BAR);
  }
  context.restore();
}

function paintName(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
  context.save();
  context.beginPath();
  context.rect(0, Math.max(top, AXIS - 2), scene.gutter - 4, 1_000);
  context.clip();
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = SESSION_COLOURS[colourOf(lane.session)] ?? palette.text;
  context.fillRect(2, top + STRIP, 3, BAR);
  context.fillStyle = palette.text;
  const name = scene.gutter < 60 || !lane.client ? lane.session : `${lane.session} ${lane.client}`;
  context.fillText(inLine(name, 40), 9, top + STRIP);
  context.restore();
}

function paintMarks(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
  context.fillStyle = palette.main;
  for (const out of [true, false]) {
    const y = top + (out ? 2 : STRIP - 2);
    for (const x of apart(
      scene,
      lane.marks.filter((mark) => (mark.out ?? false) === out),
    )) {
      context.beginPath();
      context.moveTo(x - 3, y);
      context.lineTo(x + 3, y);
      context.lineTo(x, y + (out ? 5 : -5));
      context.fill();
    }
  }
}

/** Whole pixels in sight at which there is a mark. */
function apart(scene: Scene, marks: readonly Mark[]): Set<number> {
  const found = new Set<number>();
  for (const { at } of marks) if (at >= scene.sight.start && at <= scene.sight.end) found.add(Math.round(scene.x(at)));
  return found;
}

/** By colour, so that that is set a few times and not for each bar; what would lie on the same pixels is drawn once. */
function paintBars(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, lane: Lane, top: number): void {
  const rects: Rects = new Map();
  const drawnTo: number[] = [];
  const labels: Bar[] = [];
  for (const bar of inSight(lane, scene.sight)) {
    const [left, right] = [scene.x(bar.start), scene.x(bar.end)];
    const failed = outcomeClass(bar.span.outcome) === "bad";
    const chosen = bar.span.seq === scene.chosen;
    if (right - left < LEAST && !failed && !chosen && Math.round(left) <= (drawnTo[bar.row] ?? -1)) continue;
    drawnTo[bar.row] = Math.max(drawnTo[bar.row] ?? -1, Math.round(Math.max(right, left)));
    addParts(scene, rects, bar, left, right, top + bar.row * ROW);
    if (right - left > LABELLED || chosen) labels.push(bar);
  }
  for (const [ink, found] of rects) {
    context.fillStyle = palette[ink];
    for (let index = 0; index < found.length; index += 4)
      context.fillRect(found[index] as number, found[index + 1] as number, found[index + 2] as number, found[index + 3] as number);
  }
  for (const bar of labels) paintLabel(scene, context, palette, bar, top + bar.row * ROW);
}

function addParts(scene: Scene, rects: Rects, { span, start }: Bar, left: number, right: number, y: number): void {
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
  const started = scene.x(start + (span.waitUs ?? 0) / 1e6);
  const returned = scene.x(start + ((span.waitUs ?? 0) + (span.runUs ?? 0)) / 1e6);
  add("run", left, right);
  if (started - left > 0.5) add("wait", left, started);
  if (right - returned > 0.5) add("send", returned, right);
}

function paintLabel(scene: Scene, context: CanvasRenderingContext2D, palette: Palette, bar: Bar, y: number): void {
  const [left, right] = [Math.max(scene.x(bar.start), scene.gutter), scene.x(bar.end)];
  if (bar.span.seq === scene.chosen) {
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
