/**
 * How long calls take: a table of tools, the distribution of one of them, and ten minutes as a heatmap. It holds what was told and
 * what is chosen; how that is drawn is the affair of `tools.ts` and `charts/`.
 */

import { QUANTILES } from "../charts/distribution";
import { HeatmapChart } from "../charts/heatmap";
import { HistogramChart } from "../charts/histogram";
import { el, shown } from "../dom";
import { duration, number } from "../format";
import type { Heatmap, Histogram, HistogramKey, ToolRow, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { Legend } from "./legend";
import { button, setAria, setShown, setText, Ticker } from "./parts";
import { sortOf, ToolTable } from "./tools";

const PHASES: readonly (readonly [string, string, string])[] = [
  ["total", "Total", "from the request's arrival until its answer was sent"],
  ["wait", "Wait", "from the request's arrival until its code began"],
  ["run", "Run", "while its code ran"],
  ["send", "Send", "from the end of its code until its answer was sent"],
];

const POINT = "Point at a bar, or move with the arrow keys, to see what it holds.";

class LatencyPanel implements Panel {
  readonly element: HTMLElement;
  private readonly link: Link;
  private readonly tools = new Map<string, ToolRow>();
  private readonly histograms = new Map<string, Histogram>();
  private readonly table: ToolTable;
  private readonly distribution: HistogramChart;
  private readonly heatmap: HeatmapChart;
  private readonly ticker: Ticker;
  private readonly parts = makeParts();
  private readonly phases: readonly HTMLButtonElement[];
  private readonly apart: HTMLButtonElement;
  private readonly scopes: readonly HTMLButtonElement[];
  private visible = false;
  private tool = "";
  private compare = "";
  private phase: string;
  private errorsApart: boolean;
  /** Whether the heatmap is of the chosen tool alone. */
  private alone: boolean;

  constructor(link: Link) {
    this.link = link;
    this.phase = link.remember("latency.phase") ?? "total";
    this.errorsApart = link.remember("latency.errors") === "apart";
    this.alone = link.remember("latency.heatmap") === "tool";
    this.table = new ToolTable(
      sortOf(link.remember("latency.sort")),
      (tool) => this.choose(tool),
      (sort) => {
        link.remember("latency.sort", `${sort.by}:${sort.down ? "down" : "up"}`);
        this.draw();
      },
    );
    this.distribution = new HistogramChart((text) => setText(this.parts.pointed, text || POINT));
    this.heatmap = new HeatmapChart(() => link.now());
    this.phases = PHASES.map(([id, title, what]) => button(title, `phase-${id}`, () => this.setPhase(id), what));
    this.apart = button("Errors apart", "errors-apart", () => this.setApart(!this.errorsApart), "Show calls that failed below the axis");
    this.scopes = [button("All tools", "heatmap-all", () => this.setAlone(false)), button("", "heatmap-tool", () => this.setAlone(true))];
    this.parts.compare.addEventListener("change", () => this.setCompare(this.parts.compare.value));
    this.ticker = new Ticker(() => this.heatmap.draw(), 5000);
    this.element = this.build();
    this.draw();
  }

  take(message: ToView): void {
    if (message.type === "tools") this.takeTools(message.rows ?? []);
    else if (message.type === "histogram") this.takeHistogram(message);
    else if (message.type === "heatmap") this.takeHeatmap(message);
    else return;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.ticker.run(visible);
    this.ask();
    if (!visible) return;
    this.draw();
    this.distribution.follow();
    this.heatmap.follow();
  }

  wish(wish: Readonly<Record<string, string>>): void {
    if (wish.tool !== undefined) this.choose(wish.tool);
  }

  reset(): void {
    this.tools.clear();
    this.histograms.clear();
    this.heatmap.clear();
    this.ask();
    if (this.visible) this.draw();
  }

  dispose(): void {
    this.ticker.run(false);
    this.distribution.dispose();
    this.heatmap.dispose();
    this.element.remove();
  }

  private build(): HTMLElement {
    const { empty, title, note, legend, pointed, compare, body } = this.parts;
    const phases = el("span", { class: "mcpw-figure-choice", role: "group" }, ...this.phases);
    setAria(phases, { label: "Which time" });
    const scope = el("span", { class: "mcpw-figure-choice", role: "group" }, ...this.scopes);
    setAria(scope, { label: "Heatmap of" });
    const comparing = el("label", { class: "mcpw-figure-compare" }, "Compare with ", compare);
    body.append(
      this.table.element,
      el(
        "p",
        { class: "mcpw-figure-hint" },
        "As seen by the server, from the request’s arrival until its answer was sent. ",
        el(
          "span",
          { class: "mcpw-figure-keys" },
          ...["wait", "run", "send"].flatMap((phase) => [el("i", { class: `mcpw-figure-share-${phase}` }), `${phase} `]),
        ),
      ),
      el(
        "section",
        {},
        title,
        el("div", { class: "mcpw-figure-bar" }, phases, this.apart, comparing),
        note,
        this.distribution.element,
        pointed,
        el("div", { class: "mcpw-figure-scroll" }, legend.element),
      ),
      el("section", {}, el("h3", {}, "The last ten minutes"), el("div", { class: "mcpw-figure-bar" }, scope), this.heatmap.element),
    );
    return el("div", { class: "mcpw-latency", testid: "panel-latency" }, empty, body);
  }

  private takeTools(rows: readonly ToolRow[]): void {
    for (const row of rows) this.tools.set(row.name, row);
    // Somebody who has chosen nothing sees what is called most.
    if (this.tool !== "" || this.tools.size === 0) return;
    this.choose([...this.tools.values()].reduce((most, row) => (row.n > most.n ? row : most)).name);
  }

  private takeHistogram(histogram: Histogram): void {
    const key = keyOf(histogram);
    if (this.wanted().some((each) => keyOf(each) === key)) this.histograms.set(key, histogram);
  }

  private takeHeatmap(heatmap: Heatmap): void {
    if ((heatmap.tool ?? "") === this.heatmapOf()) this.heatmap.take(heatmap.columns ?? []);
  }

  private choose(tool: string): void {
    this.tool = tool;
    if (this.compare === tool) this.compare = "";
    if (this.alone) this.heatmap.clear();
    this.changed();
  }

  private setPhase(phase: string): void {
    this.phase = phase;
    this.link.remember("latency.phase", phase);
    this.changed();
  }

  private setCompare(tool: string): void {
    this.compare = tool;
    this.changed();
  }

  private setApart(apart: boolean): void {
    this.errorsApart = apart;
    this.link.remember("latency.errors", apart ? "apart" : "");
    this.changed();
  }

  private setAlone(alone: boolean): void {
    if (this.alone === alone) return;
    this.alone = alone;
    this.link.remember("latency.heatmap", alone ? "tool" : "");
    this.heatmap.clear();
    this.changed();
  }

  private changed(): void {
    this.ask();
    if (this.visible) this.draw();
  }

  private heatmapOf(): string {
    return this.alone ? this.tool : "";
  }

  private wanted(): HistogramKey[] {
    if (this.tool === "") return [];
    const keys: HistogramKey[] = [{ tool: this.tool, phase: this.phase }];
    if (this.errorsApart) keys.push({ tool: this.tool, phase: this.phase, failed: true });
    if (this.compare !== "") keys.push({ tool: this.compare, phase: this.phase });
    return keys;
  }

  /** Nothing while nobody looks; what is wanted no longer is forgotten, since nobody keeps it up to date. */
  private ask(): void {
    const histograms = this.visible ? this.wanted() : [];
    const keys = new Set(histograms.map(keyOf));
    for (const key of this.histograms.keys()) if (!keys.has(key)) this.histograms.delete(key);
    this.link.watch(this.visible ? { histograms, heatmap: this.heatmapOf() } : {});
  }

  private get(tool: string, failed = false): Histogram | null {
    return this.histograms.get(keyOf({ tool, phase: this.phase, failed })) ?? null;
  }

  private draw(): void {
    const { empty, body, title } = this.parts;
    empty.hidden = this.tools.size > 0;
    body.hidden = this.tools.size === 0;
    this.table.draw(this.tools.values(), this.tool);
    setShown(title, this.tool || "No tool chosen", 80);
    this.drawControls();
    this.drawDistribution();
    this.heatmap.draw();
  }

  private drawControls(): void {
    for (const [i, press] of this.phases.entries()) setAria(press, { pressed: String(PHASES[i]?.[0] === this.phase) });
    setAria(this.apart, { pressed: String(this.errorsApart) });
    for (const [i, press] of this.scopes.entries()) setAria(press, { pressed: String(this.alone === (i === 1)) });
    const [, own] = this.scopes;
    if (own) {
      own.hidden = this.tool === "";
      setShown(own, this.tool, 40);
    }
    setOptions(this.parts.compare, [...this.tools.keys()].filter((name) => name !== this.tool).sort(), this.compare);
  }

  private drawDistribution(): void {
    const main = this.get(this.tool);
    const compare = this.compare === "" ? null : this.get(this.compare);
    const failed = this.errorsApart ? this.get(this.tool, true) : null;
    const nothing = ![main, compare, failed].some((each) => each?.buckets?.length);
    setText(this.parts.note, this.noteOf(main));
    this.parts.note.hidden = this.parts.note.textContent === "";
    this.distribution.element.hidden = nothing;
    this.parts.legend.element.hidden = nothing;
    this.parts.pointed.hidden = nothing;
    this.distribution.draw({ main, compare, failed }, this.labelOf(main));
    this.parts.legend.draw([
      main && { ink: "main", name: this.tool, histogram: main },
      compare && { ink: "compare", name: this.compare, histogram: compare },
      failed && { ink: "failed", name: `${this.tool}, failed`, histogram: failed },
    ]);
  }

  private noteOf(main: Histogram | null): string {
    const row = this.tools.get(this.tool);
    if (row === undefined) return this.tool === "" ? "Choose a tool in the table." : "No call of this tool has ended yet.";
    if (row.n === (row.errors ?? 0))
      return `No call ended well so far: ${number(row.n)} failed.${this.errorsApart ? "" : " “Errors apart” shows how long they took."}`;
    return main === null ? "Waiting for its figures …" : "";
  }

  private labelOf(main: Histogram | null): string {
    const parts = QUANTILES.map(([key, name]) => `${name} ${duration(main?.quantiles?.[key])}`);
    return `Histogram of the ${this.phase} time of ${number(main?.n ?? 0)} calls: ${parts.join(", ")}`;
  }
}

function keyOf({ tool, phase, failed }: HistogramKey): string {
  return JSON.stringify([tool, phase, failed === true]);
}

function makeParts() {
  const compare = el("select", { testid: "compare" });
  return {
    empty: el("p", { class: "mcpw-figure-empty", testid: "latency-empty" }, "No calls yet. Every tool appears here with its first call."),
    body: el("div", { class: "mcpw-latency-body" }),
    title: el("h3", { class: "mcpw-figure-title", testid: "latency-tool" }),
    note: el("p", { class: "mcpw-figure-empty", testid: "latency-note" }),
    pointed: el("p", { class: "mcpw-figure-chart-line", role: "status", testid: "distribution-line" }, POINT),
    legend: new Legend(),
    compare,
  };
}

/** Only where they differ: a list that is open would close. */
function setOptions(select: HTMLSelectElement, names: readonly string[], chosen: string): void {
  const before = [...select.options].map(({ value }) => value);
  const after = ["", ...names];
  if (before.join("\0") !== after.join("\0")) {
    select.replaceChildren(
      ...after.map((name) => {
        const option = el("option", {}, name === "" ? "nothing" : (shown(name, 60).textContent ?? ""));
        option.value = name;
        return option;
      }),
    );
  }
  select.value = chosen;
}

export const latency: PanelKind = { id: "latency", title: "Latency", watches: ["latency"], create: (link) => new LatencyPanel(link) };
