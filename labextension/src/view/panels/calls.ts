/** Every call: those that run on top, those that have ended below, the chosen one in a drawer beside them. */
import { badge } from "../badge";
import { CallDrawer } from "../calldrawer";
import { button, type Child, el, shown } from "../dom";
import { outcomeMark, type Titled } from "../drawer";
import { EVERYTHING } from "../filter";
import { bytes, counted, duration, moment, number, outcomeClass } from "../format";
import { Listing } from "../listing";
import type { CallRow, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { Running } from "../running";
import { CallStore, type Entry, isGap } from "../store";
import type { Column } from "../table";
import { Toolbar } from "../toolbar";

export const calls: PanelKind = {
  id: "calls",
  title: "Calls",
  watches: ["calls", "running", "kernel"],
  create: (link) => new CallsPanel(link),
};

class CallsPanel implements Panel {
  readonly element: HTMLElement;
  private readonly store = new CallStore();
  private readonly running: Running;
  private readonly toolbar: Toolbar;
  private readonly listing: Listing<CallRow>;
  private readonly drawer: CallDrawer;

  constructor(private readonly link: Link) {
    this.running = new Running(link);
    this.toolbar = new Toolbar(link, {
      applied: (text) => this.listing.filter(text),
      chosen: () => this.chosen(),
      paused: (paused) => this.listing.table.pause(paused),
    });
    this.drawer = new CallDrawer(link, {
      closed: () => this.closed(),
      made: (seq) => this.listing.reveal(seq),
      noted: (seq, text) => this.noted(seq, text),
    });
    this.listing = this.makeListing();
    this.toolbar.beside(this.listing.rest);
    this.element = el("div", { class: "mcpw-calls" }, this.listing.element, this.drawer.element);
    this.listing.table.sortBy(link.remember("calls.sort") ?? "");
  }

  take(message: ToView): void {
    if (message.type === "openCalls") this.running.take(message);
    if (message.type === "kernel") this.running.takeKernel(message);
    if (message.type === "calls") this.listing.take(message);
  }

  shown(visible: boolean): void {
    this.running.shown(visible);
    this.listing.shown(visible);
  }

  heard(live: boolean): void {
    this.running.heard(live);
    if (live) this.toolbar.again();
  }

  wish(wish: Readonly<Record<string, string>>): void {
    const { session = "", tool = "", text = "", call } = wish;
    this.close();
    if (call) {
      this.listing.reveal(Number(call));
      return this.show(Number(call), { target: "", method: `call ${call}`, outcome: "" });
    }
    this.toolbar.show({ ...EVERYTHING, session, tool }, text);
  }

  reset(): void {
    this.running.reset();
    this.store.clear();
    this.close();
    this.listing.reset();
  }

  dispose(): void {
    this.running.dispose();
    this.toolbar.dispose();
    this.listing.dispose();
  }

  // --- the list ----------------------------------------------------------------------------------------------------------

  private drawCounts(): void {
    this.toolbar.update(this.store.matched, this.store.total, this.store.hidden, this.store.facets, this.store.clients);
  }

  private chosen(): void {
    this.store.choose(this.toolbar.filter);
    this.listing.restart();
  }

  private noted(seq: number, text: string): void {
    this.store.annotate(seq, text);
    this.listing.replace();
  }

  private makeListing(): Listing<CallRow> {
    const { link } = this;
    return new Listing<CallRow>({
      link,
      store: this.store,
      panel: "calls",
      noun: "call",
      label: "Calls that have ended, newest first",
      columns: columns(),
      above: [this.running.element, this.toolbar.element],
      rowClass: (row) => `mcpw-call mcpw-row-${outcomeClass(row.outcome)}`,
      older: async (asked) => {
        const answer = await link.ask({ type: "getOlder", ...asked });
        return answer.type === "olderCalls" ? answer : undefined;
      },
      opened: (row) => this.show(row.seq, row),
      moved: (row) => this.drawer.isOpen && this.show(row.seq, row),
      closed: () => this.close(),
      sorted: (column) => link.remember("calls.sort", column),
      empty: () => this.empty(),
      around: () => this.drawCounts(),
    });
  }

  private empty(): HTMLElement {
    const clear = button("Clear filter", () => this.toolbar.show(EVERYTHING, ""), { class: "mcpw-link" });
    if (this.store.hidden && this.store.hidden === this.store.total && this.store.filter) {
      const protocol = button("show them", () => this.toolbar.show({ ...this.toolbar.filter, protocol: true }), { class: "mcpw-link" });
      return el("div", {}, `${counted(this.store.hidden, "request")} of the protocol's own: `, protocol);
    }
    if (this.store.total) return el("div", {}, `None of ${counted(this.store.total, "call")} matches. `, clear);
    if (this.store.filter) return el("div", {}, this.emptyByFilter(), " ", clear);
    const connect = button("Connect an agent", () => this.link.go("connect"), { class: "mcpw-link" });
    return el("div", {}, el("b", {}, "No calls yet"), el("p", {}, "Calls appear here the moment an agent makes them. ", connect));
  }

  private emptyByFilter(): string {
    if (!this.store.begun) return "Looking…";
    return this.store.olderThan ? "None of the latest calls matches." : "No call that is kept matches.";
  }

  // --- the drawer --------------------------------------------------------------------------------------------------------

  private show(seq: number, titled: Titled): void {
    this.element.classList.add("mcpw-open");
    void this.drawer.show(seq, titled);
  }

  private close(): boolean {
    this.listing.still();
    if (!this.drawer.close()) return false;
    this.element.classList.remove("mcpw-open");
    this.listing.table.unchoose();
    return true;
  }

  private closed(): void {
    this.listing.still();
    this.element.classList.remove("mcpw-open");
    this.listing.table.unchoose();
    this.listing.table.focus();
  }
}

// --- columns -------------------------------------------------------------------------------------------------------------

type CallColumn = Omit<Column<Entry>, "cell" | "compare"> & { cell(row: CallRow): Node | string; compare?(a: CallRow, b: CallRow): number };

function columns(): readonly Column<Entry>[] {
  const by = (value: (row: CallRow) => number) => (a: CallRow, b: CallRow) => value(a) - value(b);
  const all: readonly CallColumn[] = [
    {
      id: "time",
      title: "Arrived",
      hint: "When the request arrived; unsorted, the call that ended last stands first",
      width: 84,
      rank: 5,
      cell: (row) => moment(row.at, { millis: true }),
      compare: by((row) => row.at),
    },
    { id: "session", title: "", hint: "Session", width: 24, rank: 2, cell: (row) => badge(row.session, row.client) },
    { id: "target", title: "Call", width: 120, grows: 7, rank: 0, cell: targetCell, compare: (a, b) => a.target.localeCompare(b.target) },
    {
      id: "outcome",
      title: "Outcome",
      width: 64,
      rank: 3,
      cell: (row) => (isEarly(row) ? early(row) : outcomeMark(row.outcome)),
      compare: (a, b) => a.outcome.localeCompare(b.outcome),
    },
    { id: "error", title: "Error", width: 130, grows: 3, rank: 6, cell: (row) => faintText(row.error ?? "") },
    {
      id: "wait",
      title: "Wait",
      hint: "Before its code began",
      width: 56,
      rank: 7,
      right: true,
      cell: (row) => duration(row.waitUs),
      compare: by((row) => row.waitUs ?? -1),
    },
    {
      id: "total",
      title: "Total",
      hint: "From request to answer, as seen by the server",
      width: 56,
      rank: 1,
      right: true,
      cell: (row) => duration(row.totalUs),
      compare: by((row) => row.totalUs ?? -1),
    },
    {
      id: "size",
      title: "Size",
      hint: "Of the answer",
      width: 56,
      rank: 4,
      right: true,
      cell: (row) => (row.bytesOut ? bytes(row.bytesOut) : "–"),
      compare: by((row) => row.bytesOut ?? 0),
    },
    { id: "client", title: "Client", width: 90, grows: 1, rank: 8, cell: (row) => faintText(row.client ?? "") },
  ];
  return all.map((column) => forEntries(column));
}

/** Gaps are drawn whole and sort last. */
function forEntries({ cell, compare, ...rest }: CallColumn): Column<Entry> {
  const compared = compare && ((a: Entry, b: Entry) => (isGap(a) || isGap(b) ? Number(isGap(a)) - Number(isGap(b)) : compare(a, b)));
  return { ...rest, cell: (entry) => (isGap(entry) ? "" : cell(entry)), ...(compared ? { compare: compared } : {}) };
}

/** Whether a job's name was the answer, and its result came later in a row of its own. */
function isEarly(row: CallRow): boolean {
  return Boolean(row.job) && row.method !== "job" && row.outcome === "ok";
}

function early(row: CallRow): HTMLElement {
  const title = `Answered early: it goes on as job ${row.job}, whose end is a row of its own`;
  return el("span", { class: "mcpw-outcome mcpw-faint", title }, shown(`→ job ${row.job}`, 20));
}

function targetCell(row: CallRow): HTMLElement {
  const name = row.target || row.method;
  const kind = row.method === "tools/call" ? "" : row.method === "job" ? `job ${row.job ?? ""}`.trim() : row.method;
  const first = isEarly(row) ? `→ ${row.job}` : row.method === "job" ? kind : "";
  const marks = [first ? "" : kind, row.printed ? "printed" : "", row.note ? "✎" : ""].filter(Boolean);
  const title = [row.arguments ? `${name}(${row.arguments})` : name, row.error, row.note, `call ${row.callId || number(row.seq)}`]
    .filter(Boolean)
    .join("\n");
  return el(
    "span",
    { class: "mcpw-ellipsis", title },
    el("span", { class: `mcpw-dot mcpw-${outcomeClass(row.outcome)}` }),
    // Before the name, which may be long: else two rows of one job look alike.
    ...(first ? [el("span", { class: "mcpw-mark mcpw-mark-first" }, shown(first, 40))] : []),
    shown(name, 160, { class: "mcpw-mono" }),
    ...(row.arguments ? [" ", shown(row.arguments, 160, { class: "mcpw-mono mcpw-faint mcpw-arguments" })] : []),
    ...marks.filter((mark) => mark !== row.target).map((mark) => el("span", { class: "mcpw-mark" }, shown(mark, 40))),
    ...(row.error ? [el("span", { class: "mcpw-inline-error" }, shown(row.error, 160))] : []),
  );
}

/** Most calls have no error: a cell without an element is quicker to draw. */
function faintText(text: string): Child {
  return text && shown(text, 300, { class: "mcpw-ellipsis mcpw-faint", title: text });
}
