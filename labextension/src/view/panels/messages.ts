/** Every message of the wire, both directions: rows on the left, the chosen one beside them, what belongs together marked. */
import { button, el, fill, setText } from "../dom";
import { FilterField } from "../filterfield";
import { counted, number } from "../format";
import { type Entry as EntryOf, type Gap, isGap, place } from "../ledger";
import { columns } from "../messagecolumns";
import { type MessageEvents, renderMessage, renderMessageWaiting } from "../messagedetail";
import type { MessageRow, ToView } from "../messages";
import { MessageStore } from "../messagestore";
import type { Link, Panel, PanelKind } from "../panel";
import { Table } from "../table";
import { Choice } from "../toolbar";
import { sentenceOf } from "./parts";

const OLDER = 500;
const MOVING_MS = 90;

type Entry = EntryOf<MessageRow>;

export const messages: PanelKind = {
  id: "messages",
  title: "Messages",
  watches: ["messages"],
  create: (link) => new MessagesPanel(link),
};

class MessagesPanel implements Panel {
  readonly element: HTMLElement;
  private readonly store = new MessageStore();
  private readonly field: FilterField;
  private readonly session: Choice;
  private readonly pauseButton: HTMLButtonElement;
  private readonly counts = el("span", { class: "mcpw-counts", testid: "messages-counts" });
  private readonly foot = el("div", { class: "mcpw-foot" });
  private readonly table: Table<Entry>;
  private readonly drawer = el("div", { class: "mcpw-drawer", role: "complementary", aria: { label: "Message" } });
  private readonly asking = new Set<number>();
  private readonly events: MessageEvents;
  private followed = "";
  private paused = false;
  private visible = false;
  private open: number | undefined;
  private moving: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly link: Link) {
    this.field = new FilterField({
      link,
      panel: "messages",
      label: "Filter messages",
      example: "word  kind:request  tool:sum  -session:s3",
      testid: "messages-filter",
      applied: () => this.applied(),
    });
    this.session = new Choice("all sessions", "Follow a session", "messages-session", (session) => this.follow(session));
    this.pauseButton = button("Pause", () => this.pause(), { class: "mcpw-button", testid: "messages-pause" });
    this.table = this.makeTable();
    this.events = {
      close: () => this.close() && this.table.focus(),
      jump: (row) => this.jump(row),
      follow: (session) => this.follow(session),
      whole: () => this.open !== undefined && void this.show(this.open, undefined, true),
    };
    const more = button(`load ${OLDER} older messages`, () => void this.older(this.store.olderThan), {
      class: "mcpw-link",
      testid: "messages-older",
    });
    fill(this.foot, "The kernel has more: ", more);
    const line = el("div", { class: "mcpw-filter" }, this.field.line, this.session.element, this.counts, this.pauseButton);
    const toolbar = el("div", { class: "mcpw-toolbar", role: "search" }, line, this.field.below);
    this.drawer.hidden = true;
    this.drawer.addEventListener("keydown", (event) => this.drawerKey(event));
    this.element = el(
      "div",
      { class: "mcpw-calls" },
      el("div", { class: "mcpw-list" }, toolbar, this.table.element, this.foot),
      this.drawer,
    );
  }

  take(message: ToView): void {
    if (message.type !== "messages") return;
    const { begun } = this.store;
    this.store.add(message);
    this.store.oldestText = message.oldestText ?? this.store.oldestText;
    if (this.visible) this.draw();
    // What fits may be rare: all that is kept is looked through, once.
    if (this.store.filter && !begun && this.store.begun) void this.older(this.store.olderThan);
  }

  shown(visible: boolean): void {
    this.visible = visible;
    if (visible) this.draw();
  }

  heard(live: boolean): void {
    if (live) this.field.again();
  }

  wish({ session, message }: Readonly<Record<string, string>>): void {
    if (session !== undefined) this.follow(session);
    if (message) this.jumpTo(Number(message));
  }

  reset(): void {
    this.store.forget();
    this.asking.clear();
    this.close();
    this.table.restart([]);
    this.draw();
  }

  dispose(): void {
    clearTimeout(this.moving);
    this.field.dispose();
    this.table.dispose();
  }

  // --- the list ----------------------------------------------------------------------------------------------------------

  private draw(): void {
    this.table.append(this.store.entries, this.store.arrived);
    this.drawAround();
  }

  private drawAround(): void {
    this.foot.hidden = this.store.olderThan === 0;
    setText(this.counts, number(this.store.matched));
    const counted = new Map([...this.store.sessions.keys()].map((id) => [id, 1]));
    const name = (id: string) => (this.store.sessions.get(id) ? `${id}, ${this.store.sessions.get(id)}` : id);
    this.session.offer(counted, this.followed, name);
  }

  /** The kernel chooses by this from now on, and tells anew. */
  private applied(): void {
    const { text } = this.field;
    const session = this.followed && `session:${this.followed}`;
    const filter = session && text ? `${session} (${text})` : session || text;
    if (filter === this.store.filter) return;
    this.store.begin(filter);
    this.asking.clear();
    this.link.watch(filter ? { filters: [{ panel: "messages", text: filter }] } : {});
    this.table.restart([]);
    this.drawAround();
  }

  private follow(session: string): void {
    this.followed = session;
    this.applied();
    this.drawAround();
  }

  private pause(): void {
    this.paused = !this.paused;
    this.pauseButton.textContent = this.paused ? "Resume" : "Pause";
    this.pauseButton.setAttribute("aria-pressed", String(this.paused));
    this.table.pause(this.paused);
  }

  private makeTable(): Table<Entry> {
    return new Table<Entry>({
      label: "Messages, newest first",
      testid: "messages",
      columns: columns(this.store),
      place,
      newestFirst: true,
      whole: (entry) => (isGap(entry) ? this.gapRow(entry) : undefined),
      rowClass: (entry) =>
        isGap(entry) ? "mcpw-gap" : `mcpw-message${entry.kind === "error" || entry.kind === "malformed" ? " mcpw-row-bad" : ""}`,
      opened: (entry) => (isGap(entry) ? this.older(entry.ask ?? entry.before) : this.show(entry.seq, entry)),
      moved: (entry) => this.moved(entry),
      hovered: (entry) => this.mark(entry && !isGap(entry) ? entry : undefined),
      closed: () => this.close(),
      atEnd: () => this.older(this.store.olderThan),
      empty: () => this.empty(),
    });
  }

  private gapRow(gap: Gap): HTMLElement {
    const load = button("load them", () => this.older(gap.ask ?? gap.before), { class: "mcpw-link" });
    return el("span", {}, `${counted(gap.gap, "message")} not shown, too many at once: `, load);
  }

  private empty(): HTMLElement {
    if (!this.store.filter)
      return el("div", {}, el("b", {}, "No messages yet"), el("p", {}, "What crosses the wire appears here, both ways."));
    const clear = button("Clear filter", () => this.clear(), { class: "mcpw-link" });
    const looked = this.store.olderThan ? "None of the latest messages matches. " : "No message that is kept matches. ";
    return el("div", {}, this.store.begun ? looked : "Looking… ", clear);
  }

  private clear(): void {
    this.followed = "";
    this.field.show("");
    this.applied();
  }

  private async older(before: number): Promise<void> {
    if (!before || this.asking.has(before)) return;
    this.asking.add(before);
    const { filter } = this.store;
    try {
      const answer = await this.link.ask({ type: "getOlderMessages", before, limit: OLDER, ...(filter ? { filter } : {}) });
      if (answer.type !== "olderMessages" || filter !== this.store.filter) return;
      this.store.addOlder(answer, before);
      this.table.replace(this.store.entries, this.store.arrived);
      this.drawAround();
      this.asking.delete(before);
    } catch {
      setTimeout(() => this.asking.delete(before), 2_000); // The header says how the connection stands; scrolling asks again.
    }
  }

  // --- what belongs together ---------------------------------------------------------------------------------------------

  private mark(row: MessageRow | undefined): void {
    this.table.mark(new Set(row ? this.store.related(row).map((one) => one.seq) : []));
  }

  private jump(row: MessageRow): void {
    this.table.choosePlace(row.seq);
    this.mark(row);
    void this.show(row.seq, row);
  }

  private jumpTo(seq: number): void {
    this.table.choosePlace(seq);
    void this.show(seq, undefined);
  }

  // --- the drawer --------------------------------------------------------------------------------------------------------

  private async show(seq: number, row: MessageRow | undefined, whole = false): Promise<void> {
    this.open = seq;
    this.element.classList.add("mcpw-open");
    this.drawer.hidden = false;
    const known = row ?? { seq, at: this.link.now(), session: "", size: 0 };
    if (!this.drawer.querySelector("[data-testid=message-detail]"))
      fill(
        this.drawer,
        renderMessageWaiting(known, this.link.waitsForCells ? "asking; the answer waits for the cell" : "asking…", this.events),
      );
    let drawn: HTMLElement;
    try {
      const answer = await this.link.ask({ type: "getText", seq, ...(whole ? { whole } : {}) });
      if (answer.type === "messageText")
        drawn = renderMessage(answer, this.together(answer.row, answer.others ?? []), this.link, this.events);
      else
        drawn = renderMessageWaiting(known, answer.type === "done" ? answer.sentence : "the kernel answered something else", this.events);
    } catch (reason) {
      drawn = renderMessageWaiting(known, sentenceOf(reason), this.events);
    }
    if (this.open === seq) fill(this.drawer, drawn);
  }

  /** What the kernel knows to belong together, and what the rows say. */
  private together(row: MessageRow, others: readonly MessageRow[]): MessageRow[] {
    const found = new Map([...this.store.related(row), row, ...others].map((one) => [one.seq, one]));
    return [...found.values()].sort((a, b) => a.seq - b.seq);
  }

  private moved(entry: Entry): void {
    if (isGap(entry)) return;
    this.mark(entry);
    if (this.open === undefined) return;
    clearTimeout(this.moving);
    this.moving = setTimeout(() => void this.show(entry.seq, entry), MOVING_MS);
  }

  private close(): boolean {
    if (this.open === undefined) return false;
    clearTimeout(this.moving);
    this.open = undefined;
    this.drawer.hidden = true;
    fill(this.drawer);
    this.element.classList.remove("mcpw-open");
    this.table.unchoose();
    return true;
  }

  private drawerKey(event: KeyboardEvent): void {
    event.stopPropagation(); // Notebooks have keys of their own.
    if (event.key === "Escape" && this.close()) this.table.focus();
  }
}
