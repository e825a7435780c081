/** Who is, or lately was, connected: a line each, its calls a click away, all of its facts in the drawer. */
import { badge } from "../badge";
import { button, el, fill, shown } from "../dom";
import { bytes, counted, date, moment, number } from "../format";
import type { SessionRow, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { type Column, Table } from "../table";

export const sessions: PanelKind = { id: "sessions", title: "Sessions", watches: ["sessions"], create: (link) => new SessionsPanel(link) };

class SessionsPanel implements Panel {
  readonly element: HTMLElement;
  private readonly rows = new Map<string, SessionRow>();
  private readonly places = new Map<string, number>();
  private readonly table: Table<SessionRow>;
  private readonly count = el("div", { class: "mcpw-toolbar mcpw-faint", testid: "sessions-count" });
  private readonly drawer = el("div", { class: "mcpw-drawer", role: "complementary", aria: { label: "Session" } });
  private readonly facts = el("dl", { class: "mcpw-facts mcpw-facts-long" });
  private details = "";
  private open = 0;
  private visible = false;
  private live = true;

  constructor(private readonly link: Link) {
    this.table = new Table<SessionRow>({
      label: "Sessions",
      testid: "sessions",
      columns: this.columns(),
      place: (row) => this.place(row.id),
      rowClass: (row) => (row.until || !this.live ? "mcpw-ended" : ""),
      opened: (row) => link.go("calls", { session: row.id }),
      moved: (row) => this.details && this.show(row.id),
      closed: () => this.close(),
      sorted: (column) => link.remember("sessions.sort", column),
      empty: () => this.empty(),
    });
    this.table.sortBy(link.remember("sessions.sort") ?? "");
    this.drawer.hidden = true;
    this.drawer.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Notebooks have keys of their own.
      if (event.key === "Escape") this.closeByKey();
    });
    this.element = el("div", { class: "mcpw-calls" }, el("div", { class: "mcpw-list" }, this.count, this.table.element), this.drawer);
  }

  take(message: ToView): void {
    if (message.type !== "sessions") return;
    for (const id of message.gone ?? []) this.rows.delete(id);
    for (const row of message.rows ?? []) this.rows.set(row.id, row);
    this.open = message.open ?? 0;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    if (visible) this.draw();
  }

  heard(live: boolean): void {
    this.live = live;
    for (const [id, row] of this.rows) this.rows.set(id, { ...row }); // The table keeps what it has drawn of a row.
    if (this.visible) this.draw();
  }

  reset(): void {
    this.rows.clear();
    this.places.clear();
    this.open = 0;
    this.close();
    if (this.visible) this.draw();
  }

  dispose(): void {
    this.table.dispose();
  }

  private draw(): void {
    const rows = [...this.rows.values()].sort((a, b) => Number(a.until ?? 0) - Number(b.until ?? 0) || a.since - b.since);
    this.table.replace(rows);
    const there = rows.filter((row) => !row.until).length;
    const unseen = this.open > there ? `, ${number(this.open - there)} of them not listed` : "";
    this.count.textContent = rows.length
      ? `${number(Math.max(this.open, there))} ${this.live ? "open" : "were open"}${unseen}, ${number(rows.length - there)} ended lately`
      : "";
    if (this.details) this.show(this.details);
  }

  private place(id: string): number {
    const known = this.places.get(id);
    if (known !== undefined) return known;
    this.places.set(id, this.places.size);
    return this.places.size - 1;
  }

  private empty(): HTMLElement {
    const connect = button("How to connect one", () => this.link.go("connect"), { class: "mcpw-link" });
    return el("div", {}, el("b", {}, "No session yet"), el("p", {}, "An agent appears here when it connects. ", connect));
  }

  private columns(): readonly Column<SessionRow>[] {
    const by = (value: (row: SessionRow) => number) => (a: SessionRow, b: SessionRow) => value(a) - value(b);
    const queued = (row: SessionRow) => (row.backlog ?? 0) + (row.parked ?? 0);
    return [
      { id: "badge", title: "", width: 24, rank: 0, cell: (row) => badge(row.id, row.client) },
      {
        id: "client",
        title: "Client",
        width: 92,
        grows: 2,
        rank: 1,
        cell: clientCell,
        compare: (a, b) => (a.client ?? "").localeCompare(b.client ?? ""),
      },
      { id: "protocol", title: "Protocol", width: 124, grows: 1, rank: 8, cell: protocolOf },
      { id: "transport", title: "Transport", width: 74, grows: 1, rank: 11, cell: (row) => shown(row.transport, 40) },
      { id: "principal", title: "As", hint: "Principal", width: 56, grows: 1, rank: 7, cell: (row) => shown(row.principal, 60) },
      { id: "since", title: "Since", width: 58, rank: 6, cell: (row) => moment(row.since), compare: by((row) => row.since) },
      {
        id: "calls",
        title: "Calls",
        width: 46,
        rank: 2,
        right: true,
        cell: (row) => number(row.calls ?? 0),
        compare: by((row) => row.calls ?? 0),
      },
      {
        id: "running",
        title: "Now",
        hint: "Calls in flight",
        width: 34,
        rank: 5,
        right: true,
        cell: (row) => dim(row.running ?? 0),
        compare: by((row) => row.running ?? 0),
      },
      {
        id: "queued",
        title: "Queued",
        hint: "Messages waiting for a place, and calls that wait for news",
        width: 50,
        rank: 10,
        right: true,
        cell: (row) => dim(queued(row)),
        compare: by(queued),
      },
      {
        id: "unsent",
        title: "Unsent",
        hint: "Bytes that the client has not taken yet",
        width: 52,
        rank: 12,
        right: true,
        cell: (row) => dim(unsent(row), bytes),
        compare: by(unsent),
      },
      {
        id: "bytes",
        title: "In / out",
        width: 112,
        rank: 9,
        right: true,
        cell: (row) => `${bytes(row.bytesIn ?? 0)} / ${bytes(row.bytesOut ?? 0)}`,
        compare: by((row) => row.bytesOut ?? 0),
      },
      { id: "state", title: "State", width: 52, grows: 1, rank: 4, cell: (row) => stateCell(row, this.live) },
      { id: "more", title: "", width: 24, rank: 3, cell: (row) => this.moreButton(row) },
    ];
  }

  private moreButton(row: SessionRow): HTMLElement {
    const label = `All facts of session ${row.id}`;
    return button("⋯", () => this.show(row.id), { class: "mcpw-icon", title: label, aria: { label }, testid: "session-more" });
  }

  private show(id: string): void {
    const row = this.rows.get(id);
    if (!row) return void this.close();
    fill(this.facts, ...factsOf(row, this.live).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, shown(value, 1_000))]));
    if (this.details === id) return;
    this.details = id;
    fill(this.drawer, this.detail(row));
    this.drawer.hidden = false;
    this.element.classList.add("mcpw-open");
  }

  private detail(row: SessionRow): HTMLElement {
    const close = button("×", () => this.closeByKey(), { class: "mcpw-icon", title: "Close (Esc)", aria: { label: "Close" } });
    const calls = button("Show its calls", () => this.link.go("calls", { session: row.id }), {
      class: "mcpw-button",
      testid: "session-calls",
    });
    const head = el(
      "div",
      { class: "mcpw-detail-head" },
      badge(row.id, row.client),
      clientCell(row),
      el("span", { class: "mcpw-space" }),
      close,
    );
    const body = el("div", { class: "mcpw-detail-body", tabindex: 0 }, this.facts, el("div", { class: "mcpw-actions" }, calls));
    return el("div", { class: "mcpw-detail", testid: "session-detail" }, head, body);
  }

  private closeByKey(): void {
    if (this.close()) this.table.focus();
  }

  private close(): boolean {
    if (!this.details) return false;
    this.details = "";
    this.drawer.hidden = true;
    fill(this.drawer);
    this.element.classList.remove("mcpw-open");
    return true;
  }
}

function clientCell(row: SessionRow): HTMLElement {
  const name = row.client || "unnamed client";
  const version = row.clientVersion ? [" ", el("span", { class: "mcpw-faint" }, shown(row.clientVersion, 40))] : [];
  return el("span", { class: "mcpw-ellipsis", title: `${name} ${row.clientVersion ?? ""}` }, shown(name, 80), ...version);
}

function protocolOf(row: SessionRow): HTMLElement {
  return el("span", { class: "mcpw-ellipsis" }, shown([row.protocol, row.era].filter(Boolean).join(" ") || "no handshake yet", 60));
}

function unsent(row: SessionRow): number {
  return (row.outboxBytes ?? 0) + (row.unsentBytes ?? 0);
}

/** The state as a word. Args: `live`: whether the kernel is heard; else it is how it was last. */
export function stateOf(row: SessionRow, live = true): string {
  if (row.crash) return "crashed";
  if (row.until) return "ended";
  return `${live ? "" : "was "}${row.running ? "busy" : "open"}`;
}

function stateCell(row: SessionRow, live: boolean): HTMLElement {
  const why = row.crash || [row.closeCode || "", row.closeReason ?? ""].filter(Boolean).join(" ");
  const kind = row.crash ? "bad" : row.until || !live ? "odd" : "good";
  return el("span", { class: `mcpw-ellipsis mcpw-outcome mcpw-${kind}`, title: why }, stateOf(row, live));
}

function dim(value: number, written: (value: number) => string = number): HTMLElement {
  return el("span", { class: value ? "" : "mcpw-faint" }, written(value));
}

function factsOf(row: SessionRow, live: boolean): [string, string][] {
  const ended = row.until ? `${date(row.until)} ${[row.closeCode || "", row.closeReason ?? ""].filter(Boolean).join(" ")}` : "";
  const facts: [string, string][] = [
    ["state", stateOf(row, live)],
    ["session", row.id],
    ["protocol", [row.protocol, row.era].filter(Boolean).join(" ") || "no handshake yet"],
    ["transport", `${row.transport} from ${row.remote}`],
    ["as", row.principal],
    ["since", date(row.since)],
    ["ended", ended],
    ["crash", row.crash ?? ""],
    ["calls", `${number(row.calls ?? 0)}, ${number(row.running ?? 0)} in flight, ${number(row.parked ?? 0)} waiting for news`],
    [
      "queues",
      `${counted(row.backlog ?? 0, "message")} waiting, ${bytes(row.outboxBytes ?? 0)} in the outbox, ${bytes(row.unsentBytes ?? 0)} unsent`,
    ],
    ["subscriptions", number(row.subscriptions ?? 0)],
    ["messages", `${number(row.messagesIn ?? 0)} in, ${number(row.messagesOut ?? 0)} out`],
    ["bytes", `${bytes(row.bytesIn ?? 0)} in, ${bytes(row.bytesOut ?? 0)} out`],
    ["no answer to", (row.ignored ?? []).join("; ")],
    ["dropped", row.dropped ? `${counted(row.dropped, "notification")}: the client does not read` : ""],
  ];
  return facts.filter(([, value]) => value);
}
