/** Calls against time, a lane for each session: what ran beside what, what waited, and what happened beside it. */
import { CallDrawer } from "../calldrawer";
import { type Bar, Lanes } from "../charts/lanes";
import type { Found } from "../charts/scene";
import { type Following, Waterfall } from "../charts/waterfall";
import { button, el, fill, inLine, setText, shown } from "../dom";
import { FilterField } from "../filterfield";
import { counted, duration, moment, number, outcomeWord } from "../format";
import type { CallRow, Mark, OpenCall, Span, Timeline, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { Ticker } from "./parts";

const TICK_MS = 100;
const OLDER = 500;
const NAME = 200;
const MARKS = 4;
/** What happened longer ago than this is not where somebody looks first. */
const RECENT_S = 30;

export const timeline: PanelKind = {
  id: "timeline",
  title: "Timeline",
  watches: ["timeline", "running"],
  create: (link) => new TimelinePanel(link),
};

class TimelinePanel implements Panel {
  readonly element: HTMLElement;
  private readonly lanes = new Lanes();
  private readonly field: FilterField;
  private readonly waterfall: Waterfall;
  private readonly drawer: CallDrawer;
  private readonly line = el("p", { class: "mcpw-waterfall-line", role: "status", testid: "timeline-line" });
  private readonly counts = el("span", { class: "mcpw-counts", testid: "timeline-counts" });
  private readonly none = el("div", { class: "mcpw-empty", testid: "timeline-empty" });
  private readonly live: HTMLButtonElement;
  private readonly all: HTMLButtonElement;
  private readonly ticker = new Ticker(() => this.tick(), TICK_MS);
  private visible = false;
  private isHeard = true;
  private begun = false;
  /** By which the kernel chooses; empty: it tells all. */
  private filter = "";
  /** Whether it has told anything by that. */
  private told = false;

  constructor(private readonly link: Link) {
    this.field = new FilterField({
      link,
      panel: "timeline",
      label: "Filter calls",
      example: "tool:sum  dur:>5ms  -outcome:ok",
      testid: "timeline-filter",
      applied: (text) => this.applied(text),
    });
    this.waterfall = new Waterfall(this.lanes, () => link.now(), {
      pointed: (found) => this.tell(found),
      opened: (bar) => this.open(bar),
      following: (what) => this.follows(what),
      closed: () => this.close(),
    });
    this.drawer = new CallDrawer(link, {
      closed: () => this.closed(),
      made: (seq) => this.waterfall.mark(seq),
      noted: () => {},
    });
    this.live = button("Live", () => this.waterfall.goLive(), {
      class: "mcpw-button",
      title: "Follow what happens now (End)",
      testid: "timeline-live",
    });
    this.all = button("All", () => this.waterfall.fit(), {
      class: "mcpw-button",
      title: "From the first call to the last (Home)",
      testid: "timeline-fit",
    });
    const list = el("div", { class: "mcpw-list mcpw-timeline" }, this.toolbar(), this.none, this.waterfall.element, this.line);
    this.element = el("div", { class: "mcpw-calls" }, list, this.drawer.element);
    this.follows("now");
    this.tell(undefined);
  }

  take(message: ToView): void {
    if (message.type === "openCalls") {
      this.waterfall.open = message.rows ?? [];
      this.openLanes();
      this.wake();
    } else if (message.type === "timeline") this.takeNews(message);
    else return;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.run();
    if (!visible) return;
    this.waterfall.shown();
    this.draw();
  }

  heard(live: boolean): void {
    this.isHeard = live;
    this.run();
    if (live) this.field.again();
  }

  reset(): void {
    this.lanes.clear();
    this.waterfall.open = [];
    this.begun = this.told = false;
    this.close();
    this.draw();
  }

  dispose(): void {
    this.ticker.run(false);
    this.field.dispose();
    this.waterfall.dispose();
  }

  // --- what is told ------------------------------------------------------------------------------------------------------

  private takeNews(message: Timeline): void {
    if ((message.filter ?? "") !== this.filter) return; // Chosen by another filter: it comes too late.
    this.lanes.add(message);
    // What fits may be rare: all that is kept is looked through, once.
    if (this.filter && !this.told && message.since) void this.older(message.since);
    this.told = true;
    this.begin();
  }

  /** The kernel chooses by this from now on, and tells anew. */
  private applied(text: string): void {
    this.filter = text;
    this.told = this.begun = false;
    this.link.watch(text ? { filters: [{ panel: "timeline", text }] } : {});
    this.lanes.clear();
    this.openLanes();
    this.waterfall.unchoose();
    this.draw();
  }

  private openLanes(): void {
    for (const call of this.waterfall.open) this.lanes.lane(call.session, call.client);
  }

  private async older(before: number): Promise<void> {
    const { filter } = this;
    try {
      const answer = await this.link.ask({ type: "getOlder", before, limit: OLDER, filter });
      if (answer.type !== "olderCalls" || filter !== this.filter) return;
      this.lanes.addOlder((answer.rows ?? []).map(spanOf));
      this.openLanes();
    } catch {
      return; // The header says how the connection stands; when it is heard again the kernel tells anew.
    }
    this.begin();
    this.draw();
  }

  // --- around it ---------------------------------------------------------------------------------------------------------

  private toolbar(): HTMLElement {
    const tools: [string, string, () => void, string][] = [
      ["−", "Farther (-)", () => this.waterfall.zoom(1 / 0.6), "out"],
      ["+", "Nearer (+)", () => this.waterfall.zoom(0.6), "in"],
    ];
    const buttons = tools.map(([text, title, act, id]) =>
      button(text, act, { class: "mcpw-button", title, aria: { label: title }, testid: `timeline-${id}` }),
    );
    const legend = (["wait", "run", "send", "failed", "other"] as const).map((name) =>
      el("span", {}, el("i", { class: `mcpw-waterfall-key mcpw-waterfall-key-${name}` }), name),
    );
    const marks = [el("span", {}, "▾ sent, ▴ received notification"), el("span", {}, "◆ version of a DataFrame")];
    const line = el("div", { class: "mcpw-filter" }, this.field.line, ...buttons, this.all, this.live, this.counts);
    const keys = el("div", { class: "mcpw-legend" }, ...legend, ...marks);
    return el("div", { class: "mcpw-toolbar", role: "search" }, line, this.field.below, keys);
  }

  /** Where nothing happened lately, all that did is shown, until something does. */
  private begin(): void {
    if (this.begun || !this.lanes.whole) return this.wake();
    this.begun = true;
    if (!this.isBusy()) this.waterfall.rest();
  }

  private wake(): void {
    if (this.waterfall.following === "quiet" && this.isBusy()) this.waterfall.goLive();
  }

  /** Whether something happens, or did lately. */
  private isBusy(): boolean {
    const { whole } = this.lanes;
    return this.waterfall.open.length > 0 || (whole !== undefined && whole.end >= this.link.now() - RECENT_S);
  }

  private draw(): void {
    this.none.hidden = this.lanes.lanes.length > 0 || (this.lanes.versions.length > 0 && !this.filter);
    if (!this.none.hidden) fill(this.none, ...this.empty());
    const { total, marked, skipped } = this.lanes;
    const left = skipped ? `, ${number(skipped)} not shown: too many at once` : "";
    setText(this.counts, `${counted(total, "call")}, ${counted(marked, "mark")}${left}`);
    this.waterfall.draw();
  }

  private empty(): Text[] {
    if (!this.filter) return [el("b", {}, "No calls yet"), el("p", {}, "Calls appear here when they end, those that run as they grow.")];
    const clear = button("Clear filter", () => this.field.show(""), { class: "mcpw-link" });
    return [this.told ? "No call that is kept matches. " : "Looking… ", clear];
  }

  private follows(what: Following): void {
    this.live.setAttribute("aria-pressed", String(what === "now"));
    this.all.setAttribute("aria-pressed", String(what === "all" || what === "quiet"));
    this.run();
  }

  private run(): void {
    this.ticker.run(this.visible && this.isHeard && this.waterfall.following !== "nothing");
  }

  private tick(): void {
    if (this.waterfall.following === "now" || this.waterfall.open.length) this.waterfall.draw();
  }

  // --- one of them -------------------------------------------------------------------------------------------------------

  private open({ span }: Bar): void {
    this.element.classList.add("mcpw-open");
    void this.drawer.show(span.seq, span);
  }

  private close(): void {
    if (this.drawer.close()) this.closed();
    else this.waterfall.unchoose();
  }

  private closed(): void {
    this.element.classList.remove("mcpw-open");
    this.waterfall.unchoose();
    this.waterfall.canvas.focus({ preventScroll: true });
  }

  private tell(found: Found | undefined): void {
    this.waterfall.canvas.style.cursor = found && "bar" in found ? "pointer" : "";
    if (!found) return fill(this.line, "Drag or arrows move, ctrl and wheel zoom; a click opens a call.");
    if ("bar" in found) fill(this.line, ...barText(found.bar.span));
    else if ("open" in found) fill(this.line, ...openText(found.open, this.link.now()));
    else fill(this.line, ...marksText(found.marks));
  }
}

type Text = Node | string;

/** An older call as a bar: a row of the table says all that one needs. */
function spanOf({ seq, at, session, target, method, outcome, totalUs, waitUs, runUs, client }: CallRow): Span {
  const names = { target: inLine(target, NAME), method: inLine(method, NAME) };
  return { seq, at, session, ...names, outcome, totalUs: totalUs ?? 0, waitUs: waitUs ?? null, runUs: runUs ?? null, client: client ?? "" };
}

function barText(span: Span): Text[] {
  const parts = span.waitUs === undefined || span.waitUs === null ? "" : `: wait ${duration(span.waitUs)}, run ${duration(span.runUs)}`;
  const took = `${outcomeWord(span.outcome)} in ${duration(span.totalUs)}${parts}`;
  const who = shown([span.session, span.client].filter(Boolean).join(" "), 80);
  return [shown(span.target || span.method, 120, { class: "mcpw-mono" }), ` ${took}; `, who, `, ${moment(span.at, { millis: true })}`];
}

function openText(call: OpenCall, now: number): Text[] {
  const since = duration(Math.max(0, now - call.at) * 1e6);
  return [
    shown(call.target || call.method, 120, { class: "mcpw-mono" }),
    ` for ${since}`,
    ...(call.waits ? [", waits for ", shown(call.waits, 120)] : []),
  ];
}

function marksText(marks: readonly Mark[]): Text[] {
  const said = marks.slice(0, MARKS).flatMap((mark, index) => {
    const way = mark.kind === "version" ? "" : mark.out ? "sent " : "received ";
    return [index ? "; " : "", `${moment(mark.at, { millis: true })} ${way}`, shown(mark.text, 160)];
  });
  return marks.length > MARKS ? [...said, `; and ${number(marks.length - MARKS)} more`] : said;
}
