/**
 * How long calls took: bars on a logarithmic axis, lines at the quantiles, failed calls below the axis on a scale of their own, a
 * second tool as an outline. Draws with uPlot what `distribution.ts` has counted; which histograms and when is the panel's affair.
 */
import uPlot from "uplot";

import { el } from "../dom";
import { duration, number } from "../format";
import { durationTicks, numberTicks, placed, roundLabel } from "./axis";
import { barAt, barStart } from "./buckets";
import { Colours, type Palette } from "./colours";
import { barText, type Distribution, distributionOf, type Line, quantileLines, type Shown } from "./distribution";

/** How much of the height failed calls take below the axis, against what is above it. */
const BELOW = 0.4;
const FONT = "11px system-ui, sans-serif";
const LABEL_HEIGHT = 14;

export class HistogramChart {
  readonly element: HTMLElement;
  private readonly host: HTMLElement;
  private readonly colours: Colours;
  private readonly resized: ResizeObserver;
  private readonly pointed: (text: string) => void;
  private distribution: Distribution | null = null;
  private lines: readonly Line[] = [];
  private palette: Palette;
  private plot: uPlot | null = null;
  /** The one under the pointer or the keyboard's cursor. */
  private bar: number | null = null;

  /** `pointed` is told what is under the pointer; empty: nothing is. */
  constructor(pointed: (text: string) => void) {
    this.pointed = pointed;
    this.colours = new Colours(() => this.paint());
    this.palette = this.colours.palette();
    this.host = el("div", {
      class: "mcpw-figure-chart-host",
      testid: "distribution",
      role: "application",
      tabindex: 0,
      on: { keydown: (event) => this.key(event as KeyboardEvent), blur: () => this.pointAt(null) },
    });
    this.host.setAttribute("aria-roledescription", "histogram");
    this.element = el("div", { class: "mcpw-figure-chart mcpw-figure-distribution" }, this.colours.element, this.host);
    this.resized = new ResizeObserver(() => this.paint());
    this.resized.observe(this.host);
  }

  /** `label` says in words what is drawn. */
  draw(shown: Shown, label: string): void {
    this.host.setAttribute("aria-label", `${label}. Arrow keys move.`);
    this.distribution = distributionOf(shown);
    this.lines = quantileLines(shown.main?.quantiles);
    this.paint();
  }

  follow(): void {
    this.colours.follow();
    this.paint();
  }

  dispose(): void {
    this.resized.disconnect();
    this.colours.dispose();
    this.plot?.destroy();
    this.plot = null;
  }

  private paint(): void {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === 0 || height === 0) return;
    if (this.distribution === null) {
      this.plot?.destroy();
      this.plot = null;
      return;
    }
    this.palette = this.colours.palette();
    const data = dataOf(this.distribution);
    if (this.plot === null) this.plot = new uPlot(this.options(width, height), data, this.host);
    else this.plot.batch(() => this.update(width, height, data));
  }

  private update(width: number, height: number, data: uPlot.AlignedData): void {
    if (this.plot?.width !== width || this.plot.height !== height) this.plot?.setSize({ width, height });
    this.plot?.setData(data);
    this.plot?.redraw(true, true);
  }

  private options(width: number, height: number): uPlot.Options {
    return {
      width,
      height,
      padding: [(plot) => this.headroom(plot), null, null, null],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, y: false },
      scales: {
        x: { time: false, range: () => this.xRange() },
        y: { range: () => this.yRange() },
        failed: { range: () => this.failedRange() },
      },
      axes: [this.durationAxis(), this.heightAxis(), this.failedAxis()],
      series: [
        {},
        this.series("y", { fill: () => this.palette.main, paths: filledBars }),
        this.series("y", { stroke: () => this.palette.compare, width: 1.5, paths: outline }),
        this.series("failed", { fill: () => this.palette.failed, paths: filledBars }),
      ],
      hooks: { draw: [(plot) => this.drawLines(plot)], setCursor: [(plot) => this.point(plot)] },
    };
  }

  private series(scale: string, more: uPlot.Series): uPlot.Series {
    return { scale, points: { show: false }, ...more };
  }

  private xRange(): [number, number] {
    const bars = this.distribution?.bars ?? { first: 0, width: 1, length: 1 };
    return [barStart(bars, -1), barStart(bars, bars.length + 1)];
  }

  private yRange(): [number, number] {
    const top = Math.max(...(this.distribution?.main ?? []), ...(this.distribution?.compare ?? [])) || 1;
    return [this.distribution?.failed ? -BELOW * top : 0, top];
  }

  /** Its zero is where the other scale has its own. */
  private failedRange(): [number, number] {
    const most = Math.max(...(this.distribution?.failed ?? [])) || 1;
    return [-most, most / BELOW];
  }

  private durationAxis(): uPlot.Axis {
    return {
      font: FONT,
      size: 30,
      stroke: () => this.palette.text,
      grid: { stroke: () => this.palette.quiet, width: 1 },
      ticks: { stroke: () => this.palette.quiet, width: 1, size: 4 },
      splits: (plot, _axis, low, high) => durationTicks(low, high, Math.floor(plot.over.clientWidth / 62)).map(({ at }) => at),
      values: (_plot, splits) => splits.map((at) => roundLabel(Number((2 ** at * 1e6).toPrecision(4)))),
    };
  }

  private heightAxis(): uPlot.Axis {
    const shares = () => this.distribution?.shares === true;
    return {
      scale: "y",
      font: FONT,
      size: (_plot, values) => sizeOf(values),
      stroke: () => this.palette.text,
      grid: { stroke: () => this.palette.quiet, width: 1 },
      ticks: { show: false },
      splits: (_plot, _axis, _low, high) => numberTicks(high, 4, !shares()),
      values: (_plot, splits) => splits.map((n) => (shares() ? `${n} %` : number(n))),
    };
  }

  private failedAxis(): uPlot.Axis {
    return {
      scale: "failed",
      side: 1,
      font: FONT,
      size: (_plot, values) => (this.distribution?.failed ? sizeOf(values) : 0),
      stroke: () => this.palette.failed,
      grid: { show: false },
      ticks: { show: false },
      splits: (_plot, _axis, low) => (this.distribution?.failed ? numberTicks(-low, 2).map((n) => -n) : []),
      values: (_plot, splits) => splits.map((n) => (n === 0 ? "" : number(-n))),
    };
  }

  /** What stands at each line, and where; `room` is the width of the plot. */
  private labels(context: CanvasRenderingContext2D, room: number, xOf: (at: number) => number) {
    context.font = FONT;
    const labels = this.lines.map(({ at, name, us }) => {
      const text = `${name} ${duration(us)}`;
      return { text, x: xOf(at), width: context.measureText(text).width };
    });
    const places = placed(labels, room);
    return labels.map((label, i) => ({ ...label, ...(places[i] ?? { left: label.x, row: 0 }) }));
  }

  /** As many rows as labels need. The axes' widths are not known yet: about 80 pixels. */
  private headroom(plot: uPlot): number {
    const [low, high] = this.xRange();
    const room = Math.max(60, plot.width - 80);
    plot.ctx.save();
    const labels = this.labels(plot.ctx, room, (at) => ((at - low) / (high - low)) * room);
    plot.ctx.restore();
    return LABEL_HEIGHT * (1 + Math.max(-1, ...labels.map(({ row }) => row))) + 6;
  }

  private drawLines(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    const foot = plot.valToPos(0, "y", true) / ratio;
    ctx.save();
    ctx.scale(ratio, ratio);
    ctx.translate(bbox.left / ratio, 0);
    ctx.textAlign = "left"; // uPlot has drawn the axes and leaves theirs.
    ctx.textBaseline = "top";
    ctx.strokeStyle = this.palette.text;
    const labels = this.labels(ctx, bbox.width / ratio, (at) => (plot.valToPos(at, "x", true) - bbox.left) / ratio);
    labels.forEach(({ x, row }, i) => {
      ctx.setLineDash(i === 0 ? [] : [4, 3]);
      ctx.beginPath();
      ctx.moveTo(Math.round(x) + 0.5, row * LABEL_HEIGHT + 2);
      ctx.lineTo(Math.round(x) + 0.5, foot);
      ctx.stroke();
    });
    for (const { text, left, width, row } of labels) {
      // Lines of other labels may pass here.
      ctx.fillStyle = this.palette.ground;
      ctx.fillRect(left - 1, row * LABEL_HEIGHT + 1, width + 2, LABEL_HEIGHT - 1);
      ctx.fillStyle = this.palette.text;
      ctx.fillText(text, left, row * LABEL_HEIGHT + 2);
    }
    ctx.restore();
  }

  private key(event: KeyboardEvent): void {
    const bars = this.distribution?.bars.length ?? 0;
    const here = this.bar ?? (event.key === "ArrowLeft" ? bars : -1);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: bars - 1, Escape: null }[event.key];
    if (to === undefined || bars === 0) return;
    event.preventDefault();
    this.pointAt(to === null ? null : Math.min(Math.max(to, 0), bars - 1));
  }

  /** Puts the cursor into the middle of a bar, as the pointer would. */
  private pointAt(bar: number | null): void {
    const { plot, distribution } = this;
    if (plot === null || distribution === null) return;
    const left = bar === null ? -10 : plot.valToPos(barStart(distribution.bars, bar + 0.5), "x");
    plot.setCursor({ left, top: bar === null ? -10 : 1 });
  }

  private point(plot: uPlot): void {
    const left = plot.cursor.left ?? -1;
    const bar = left < 0 || this.distribution === null ? null : barAt(this.distribution.bars, plot.posToVal(left, "x"));
    this.bar = bar;
    this.pointed(bar === null || this.distribution === null ? "" : barText(this.distribution, bar));
  }
}

function sizeOf(values: readonly string[] | null): number {
  return 14 + 7 * Math.max(1, ...(values ?? []).map((value) => value.length));
}

/** The last place says where the last bar ends. */
function dataOf({ bars, main, compare, failed }: Distribution): uPlot.AlignedData {
  const places = Array.from({ length: bars.length + 1 }, (_, bar) => barStart(bars, bar));
  const none = new Array<null>(places.length).fill(null);
  return [places, [...main, null], compare ? [...compare, null] : none, failed ? [...failed.map((n) => -n), null] : none];
}

function eachBar(plot: uPlot, series: number, act: (left: number, right: number, height: number, foot: number) => void): void {
  const scale = plot.series[series]?.scale ?? "y";
  const places = plot.data[0];
  const foot = plot.valToPos(0, scale, true);
  places.slice(0, -1).forEach((place, i) => {
    const value = plot.data[series]?.[i] ?? 0;
    act(plot.valToPos(place, "x", true), plot.valToPos(places[i + 1] ?? place, "x", true), plot.valToPos(value, scale, true) - foot, foot);
  });
}

/** A single call among ten thousand is still seen: no bar is lower than a pixel and a half. */
const filledBars: uPlot.Series.PathBuilder = (plot, series) => {
  const fill = new Path2D();
  const least = 1.5 * uPlot.pxRatio;
  eachBar(plot, series, (left, right, height, foot) => {
    if (height === 0) return;
    const seen = Math.sign(height) * Math.max(Math.abs(height), least);
    fill.rect(
      Math.round(left),
      foot + Math.min(0, seen),
      Math.max(1, Math.round(right) - Math.round(left) - uPlot.pxRatio),
      Math.abs(seen),
    );
  });
  return { fill, stroke: null, flags: 0 };
};

const outline: uPlot.Series.PathBuilder = (plot, series) => {
  const stroke = new Path2D();
  if (plot.data[series]?.[0] == null) return { stroke, flags: 0 };
  eachBar(plot, series, (left, right, height, foot) => {
    if (left === plot.valToPos(plot.data[0][0] ?? 0, "x", true)) stroke.moveTo(left, foot);
    stroke.lineTo(left, foot + height);
    stroke.lineTo(right, foot + height);
  });
  stroke.lineTo(plot.valToPos(plot.data[0].at(-1) ?? 0, "x", true), plot.valToPos(0, "y", true));
  return { stroke, flags: 0 };
};
