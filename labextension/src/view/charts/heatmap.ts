/**
 * How long calls took over the last ten minutes: a canvas with a column for each ten seconds and a row for each half doubling. What
 * is under the pointer or the keyboard's cursor is told as a line of text below it.
 */

import { el } from "../dom";
import { duration, number } from "../format";
import type { HeatColumn } from "../messages";
import { durationTicks } from "./axis";
import { Colours, type Palette } from "./colours";
import { COLUMN_S, COLUMNS, cellCount, type HeatView, HeatWindow, intensity, ROWS_AN_OCTAVE } from "./heat";

const FONT = "11px system-ui, sans-serif";
const AXIS_WIDTH = 50;
const AXIS_HEIGHT = 18;
/** Above the cells: how many calls failed, one mark a column. */
const FAILED_HEIGHT = 10;
const RIGHT = 6;

/** Where somebody looks: it stays with its ten seconds while these move to the left. */
export interface Cursor {
  readonly at: number;
  readonly row: number;
}

/** Where a key leads; null: the key means nothing here. */
export function moved(cursor: Cursor | null, key: string, view: HeatView): Cursor | null {
  const last = view.start + (COLUMNS - 1) * COLUMN_S;
  const from = cursor ?? { at: last, row: Math.round((view.lowRow + view.highRow) / 2) };
  // The first arrow only shows where it is.
  const step = cursor === null ? 0 : 1;
  const steps: Record<string, Cursor> = {
    ArrowLeft: { ...from, at: from.at - step * COLUMN_S },
    ArrowRight: { ...from, at: from.at + step * COLUMN_S },
    ArrowUp: { ...from, row: from.row + step },
    ArrowDown: { ...from, row: from.row - step },
    Home: { ...from, at: view.start },
    End: { ...from, at: last },
    PageUp: { ...from, row: view.highRow },
    PageDown: { ...from, row: view.lowRow },
  };
  const to = steps[key];
  return to === undefined ? null : within(to, view);
}

/** The nearest place that is still in the picture. */
export function within({ at, row }: Cursor, view: HeatView): Cursor {
  const last = view.start + (COLUMNS - 1) * COLUMN_S;
  return { at: Math.min(Math.max(at, view.start), last), row: Math.min(Math.max(row, view.lowRow), view.highRow) };
}

/** `06:32:10 – 06:32:20, 1.00 ms – 1.41 ms: 34 calls; 2 failed in these ten seconds`. */
export function cellText({ at, row }: Cursor, view: HeatView): string {
  const column = view.columns[Math.round((at - view.start) / COLUMN_S)];
  const n = cellCount(column, row);
  const [from, to] = [row, row + 1].map((each) => duration(2 ** (each / ROWS_AN_OCTAVE) * 1e6));
  const failed = column?.failed ? `; ${number(column.failed)} failed in these ten seconds` : "";
  return `${clock(at)} – ${clock(at + COLUMN_S)}, ${from} – ${to}: ${number(n)} ${n === 1 ? "call" : "calls"}${failed}`;
}

/** By the clock of whoever looks. */
export function clock(at: number, seconds = true): string {
  const two = "2-digit";
  return new Date(at * 1000).toLocaleTimeString("en", { hour: two, minute: two, ...(seconds && { second: two }), hourCycle: "h23" });
}

export class HeatmapChart {
  readonly element: HTMLElement;
  private readonly window = new HeatWindow();
  private readonly canvas: HTMLCanvasElement;
  private readonly line: HTMLElement;
  private readonly colours: Colours;
  private readonly resized: ResizeObserver;
  private readonly now: () => number;
  private cursor: Cursor | null = null;
  /** Whether the cursor is where the pointer is. */
  private pointed = false;
  private view: HeatView;

  constructor(now: () => number) {
    this.now = now;
    this.view = this.window.view(now());
    this.colours = new Colours(() => this.paint());
    this.canvas = el("canvas", {
      class: "mcpw-figure-heatmap-canvas",
      testid: "heatmap",
      role: "application",
      tabindex: 0,
      on: {
        pointermove: (event) => this.pointAt(this.placeAt(event as PointerEvent)),
        pointerleave: () => this.pointAt(null),
        keydown: (event) => this.key(event as KeyboardEvent),
        blur: () => this.look(null),
      },
    });
    this.canvas.setAttribute("aria-roledescription", "heatmap");
    this.line = el("p", { class: "mcpw-figure-chart-line", role: "status", testid: "heatmap-line" });
    this.element = el("div", { class: "mcpw-figure-chart mcpw-figure-heatmap" }, this.colours.element, this.canvas, this.line);
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.canvas);
    this.tell();
  }

  take(columns: readonly HeatColumn[]): void {
    this.window.take(columns);
  }

  clear(): void {
    this.window.clear();
    this.cursor = null;
  }

  draw(): void {
    this.view = this.window.view(this.now());
    if (this.cursor !== null) this.cursor = within(this.cursor, this.view);
    this.tell();
    this.paint();
  }

  follow(): void {
    this.colours.follow();
    this.draw();
  }

  dispose(): void {
    this.resized.disconnect();
    this.colours.dispose();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      this.look(null);
      return;
    }
    const to = moved(this.cursor, event.key, this.view);
    if (to === null || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.pointed = false;
    this.look(to);
  }

  /** A pointer that leaves, or that something moves below, takes nothing from the keyboard. */
  private pointAt(cursor: Cursor | null): void {
    if (cursor === null && !this.pointed) return;
    this.pointed = cursor !== null;
    this.look(cursor);
  }

  private look(cursor: Cursor | null): void {
    if (cursor?.at === this.cursor?.at && cursor?.row === this.cursor?.row) return;
    this.cursor = cursor;
    this.tell();
    this.paint();
  }

  private tell(): void {
    const { calls, failed } = this.view;
    const summary = `${number(calls)} calls ended well in the last ten minutes, ${number(failed)} failed`;
    this.canvas.setAttribute("aria-label", `How long calls took over the last ten minutes. ${summary}. Arrow keys move.`);
    const text = this.cursor === null ? `${summary}.` : cellText(this.cursor, this.view);
    // A status that is set anew is read out anew, also where it says the same.
    if (this.line.textContent !== text) this.line.textContent = text;
  }

  private placeAt(event: PointerEvent): Cursor | null {
    const { width, height } = this.size();
    const column = Math.floor(((event.offsetX - AXIS_WIDTH) / width) * COLUMNS);
    const row = this.view.highRow - Math.floor(((event.offsetY - FAILED_HEIGHT) / height) * this.rows());
    if (column < 0 || column >= COLUMNS || row < this.view.lowRow || row > this.view.highRow + 1) return null;
    return within({ at: this.view.start + column * COLUMN_S, row }, this.view);
  }

  private rows(): number {
    return this.view.highRow - this.view.lowRow + 1;
  }

  private size(): { width: number; height: number } {
    return { width: this.canvas.clientWidth - AXIS_WIDTH - RIGHT, height: this.canvas.clientHeight - FAILED_HEIGHT - AXIS_HEIGHT };
  }

  private paint(): void {
    const { clientWidth, clientHeight } = this.canvas;
    if (clientWidth === 0 || clientHeight === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    const palette = this.colours.palette();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, clientWidth, clientHeight);
    context.font = FONT;
    this.paintAxes(context, palette);
    this.paintCells(context, palette);
    if (this.cursor !== null) this.paintCursor(context, palette, this.cursor);
  }

  private paintAxes(context: CanvasRenderingContext2D, palette: Palette): void {
    const { width, height } = this.size();
    const [low, high] = [this.view.lowRow / ROWS_AN_OCTAVE, (this.view.highRow + 1) / ROWS_AN_OCTAVE];
    context.strokeStyle = palette.quiet;
    context.fillStyle = palette.text;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { at, label } of durationTicks(low, high, Math.max(2, Math.floor(height / 26)))) {
      const y = FAILED_HEIGHT + ((high - at) / (high - low)) * height;
      line(context, AXIS_WIDTH, y, AXIS_WIDTH + width, y);
      context.fillText(label, AXIS_WIDTH - 5, y);
    }
    context.textAlign = "center";
    context.textBaseline = "bottom";
    const minutes = width > 300 ? 2 : 4;
    const first = Math.ceil(this.view.start / (60 * minutes)) * 60 * minutes;
    for (let at = first; at < this.view.start + COLUMNS * COLUMN_S; at += 60 * minutes) {
      const x = AXIS_WIDTH + ((at - this.view.start) / (COLUMNS * COLUMN_S)) * width;
      line(context, x, FAILED_HEIGHT, x, FAILED_HEIGHT + height + 3);
      if (x > AXIS_WIDTH + 14 && x < AXIS_WIDTH + width - 12) context.fillText(clock(at, false), x, FAILED_HEIGHT + height + AXIS_HEIGHT);
    }
  }

  private paintCells(context: CanvasRenderingContext2D, palette: Palette): void {
    this.view.columns.forEach((column, i) => {
      for (const [row, n] of column?.cells ?? []) {
        const { x, y, width, height } = this.cell(i, row);
        context.globalAlpha = intensity(n, this.view.max);
        context.fillStyle = palette.main;
        context.fillRect(x, y, width, height);
      }
      context.globalAlpha = 1;
      if (column?.failed) this.paintFailed(context, palette, i);
    });
  }

  private paintFailed(context: CanvasRenderingContext2D, palette: Palette, column: number): void {
    const { x, width } = this.cell(column, this.view.highRow);
    const half = Math.max(2.5, Math.min(width / 2, 4));
    context.fillStyle = palette.failed;
    context.beginPath();
    context.moveTo(x + width / 2 - half, 1);
    context.lineTo(x + width / 2 + half, 1);
    context.lineTo(x + width / 2, FAILED_HEIGHT - 2);
    context.fill();
  }

  private paintCursor(context: CanvasRenderingContext2D, palette: Palette, cursor: Cursor): void {
    const { x, y, width, height } = this.cell((cursor.at - this.view.start) / COLUMN_S, cursor.row);
    context.strokeStyle = palette.ground;
    context.lineWidth = 3;
    context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    context.strokeStyle = palette.text;
    context.lineWidth = 1.5;
    context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    context.lineWidth = 1;
  }

  /** Whole pixels, with one between neighbours where there is room for it. */
  private cell(column: number, row: number): { x: number; y: number; width: number; height: number } {
    const { width, height } = this.size();
    const [left, right] = [column, column + 1].map((each) => Math.round(AXIS_WIDTH + (each / COLUMNS) * width)) as [number, number];
    const fromTop = this.view.highRow - row;
    const [top, bottom] = [fromTop, fromTop + 1].map((each) => Math.round(FAILED_HEIGHT + (each / this.rows()) * height)) as [
      number,
      number,
    ];
    const gap = right - left > 4 ? 1 : 0;
    return { x: left, y: top, width: right - left - gap, height: bottom - top - (bottom - top > 4 ? 1 : 0) };
  }
}

function line(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.stroke();
}
