/** Calls against time, a lane for each session: what ran beside what, what waited, and what happened beside it. */
import { CallDrawer } from "../calldrawer";
import { type Bar, Lanes } from "../charts/lanes";
import type { Found } from "../charts/scene";
import { Waterfall } from "../charts/waterfall";
import { button, el, fill, setText, shown } from "../dom";
import { counted, duration, moment, number, outcomeWord } from "../format";
import type { Mark, OpenCall, Span, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { Ticker } from "./parts";

const TICK_MS = 100;
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
  private readonly waterfall: Waterfall;
  private readonly drawer: CallDrawer;
  private readonly line = el("p", { class: "mcpw-waterfall-line", role: "status", testid: "timeline-line" });
  private readonly counts = el("span", { class: "mcpw-counts", testid: "timeline-counts" });
  private readonly none = el("div", { class: "mcpw-empty", testid: "timeline-empty" });
  private readonly live: HTMLButtonElement;
  private readonly ticker = new Ticker(() => this.tick(), TICK_MS);
  private visible = false;
  private isHeard = true;
  private begun = false;

  constructor(private readonly link: Link) {
    this.waterfall = new Waterfall(this.lanes, () => link.now(), {
      pointed: (found) => this.tell(found),
      opened: (bar) => this.open(bar),
      following: (is) => this.follows(is),
      closed: () => this.close(),
    });
    this.drawer = new CallDrawer(link, { closed: () => this.closed(), noted: () => {} });
    this.live = button("Live", () => this.waterfall.goLive(), {
      class: "mcpw-button",
      title: "Follow what happens now (End)",
      testid: "timeline-live",
    });
    fill(this.none, el("b", {}, "No calls yet"), el("p", {}, "Calls appear here when they end, those that run as they grow."));
    const list = el("div", { class: "mcpw-list mcpw-timeline" }, this.toolbar(), this.waterfall.element, this.none, this.line);
    this.element = el("div", { class: "mcpw-calls" }, list, this.drawer.element);
    this.follows(true);
    this.tell(undefined);
  }

  take(message: ToView): void {
    if (message.type === "openCalls") {
      this.waterfall.open = message.rows ?? [];
      for (const call of message.rows ?? []) this.lanes.lane(call.session, call.client);
    } else if (message.type === "timeline") {
      this.lanes.add(message);
      this.begin();
    } else return;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.run();
    if (!visible) return;
    this.waterfall.follow();
    this.draw();
  }

  heard(live: boolean): void {
    this.isHeard = live;
    this.run();
  }

  reset(): void {
    this.lanes.clear();
    this.waterfall.open = [];
    this.begun = false;
    this.close();
    this.draw();
  }

  dispose(): void {
    this.ticker.run(false);
    this.waterfall.dispose();
  }

  // --- around it ---------------------------------------------------------------------------------------------------------

  private toolbar(): HTMLElement {
    const tools: [string, string, () => void, string][] = [
      ["−", "Farther (-)", () => this.waterfall.zoom(1 / 0.6), "out"],
      ["+", "Nearer (+)", () => this.waterfall.zoom(0.6), "in"],
      ["All", "From the first call to the last (Home)", () => this.waterfall.fit(), "fit"],
    ];
    const buttons = tools.map(([text, title, act, id]) =>
      button(text, act, { class: "mcpw-button", title, aria: { label: title }, testid: `timeline-${id}` }),
    );
    const legend = (["wait", "run", "send", "failed", "other"] as const).map((name) =>
      el("span", {}, el("i", { class: `mcpw-waterfall-key mcpw-waterfall-key-${name}` }), name),
    );
    const marks = [el("span", {}, "▾ sent, ▴ received notification"), el("span", {}, "◆ version of a DataFrame")];
    const line = el("div", { class: "mcpw-filter" }, ...buttons, this.live, el("span", { class: "mcpw-space" }), this.counts);
    return el("div", { class: "mcpw-toolbar" }, line, el("div", { class: "mcpw-legend" }, ...legend, ...marks));
  }

  /** Where nothing happened lately, all that did is shown. */
  private begin(): void {
    const { whole } = this.lanes;
    if (this.begun || !whole) return;
    this.begun = true;
    if (whole.end < this.link.now() - RECENT_S && !this.waterfall.open.length) this.waterfall.fit();
  }

  private draw(): void {
    this.none.hidden = this.lanes.lanes.length > 0 || this.lanes.versions.length > 0;
    const { total, marked, skipped } = this.lanes;
    const left = skipped ? `, ${number(skipped)} not shown: too many at once` : "";
    setText(this.counts, `${counted(total, "call")}, ${counted(marked, "mark")}${left}`);
    this.waterfall.draw();
  }

  private follows(is: boolean): void {
    this.live.setAttribute("aria-pressed", String(is));
    this.run();
  }

  private run(): void {
    this.ticker.run(this.visible && this.isHeard && this.waterfall.isFollowing);
  }

  private tick(): void {
    this.waterfall.draw();
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
