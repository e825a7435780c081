/** Every message of the wire, both directions: rows on the left, the chosen one beside them, what belongs together marked. */
import { button, el, fill, setText } from "../dom";
import { FilterField } from "../filterfield";
import { number } from "../format";
import { Listing } from "../listing";
import { columns } from "../messagecolumns";
import { type MessageEvents, renderMessage, renderMessageWaiting } from "../messagedetail";
import type { MessageRow, ToView } from "../messages";
import { MessageStore } from "../messagestore";
import type { Link, Panel, PanelKind } from "../panel";
import { Choice } from "../toolbar";
import { sentenceOf } from "./parts";

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
  private readonly listing: Listing<MessageRow>;
  private readonly drawer = el("div", { class: "mcpw-drawer", role: "complementary", aria: { label: "Message" } });
  private readonly events: MessageEvents;
  private followed = "";
  private paused = false;
  private open: number | undefined;

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
    this.events = {
      close: () => this.close() && this.listing.table.focus(),
      jump: (row) => this.jump(row),
      follow: (session) => this.follow(session),
      whole: () => this.open !== undefined && void this.show(this.open, undefined, true),
    };
    const line = el("div", { class: "mcpw-filter" }, this.field.line, this.session.element, this.counts);
    const toolbar = el("div", { class: "mcpw-toolbar", role: "search" }, line, this.field.below);
    this.drawer.hidden = true;
    this.drawer.addEventListener("keydown", (event) => this.drawerKey(event));
    this.listing = this.makeListing(toolbar);
    line.append(this.listing.rest, this.pauseButton);
    this.element = el("div", { class: "mcpw-calls" }, this.listing.element, this.drawer);
  }

  take(message: ToView): void {
    if (message.type !== "messages") return;
    this.store.oldestText = message.oldestText ?? this.store.oldestText;
    this.listing.take(message);
  }

  shown(visible: boolean): void {
    this.listing.shown(visible);
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
    this.close();
    this.listing.reset();
  }

  dispose(): void {
    this.field.dispose();
    this.listing.dispose();
  }

  // --- the list ----------------------------------------------------------------------------------------------------------

  private drawAround(): void {
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
    if (filter !== this.store.filter) this.listing.filter(filter);
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
    this.listing.table.pause(this.paused);
  }

  private makeListing(toolbar: HTMLElement): Listing<MessageRow> {
    const { link } = this;
    return new Listing<MessageRow>({
      link,
      store: this.store,
      panel: "messages",
      noun: "message",
      label: "Messages, newest first",
      columns: columns(this.store),
      above: [toolbar],
      rowClass: ({ kind }) => `mcpw-message${kind === "error" || kind === "malformed" ? " mcpw-row-bad" : ""}`,
      older: async (asked) => {
        const answer = await link.ask({ type: "getOlderMessages", ...asked });
        return answer.type === "olderMessages" ? answer : undefined;
      },
      opened: (row) => void this.show(row.seq, row),
      moved: (row) => this.open !== undefined && void this.show(row.seq, row),
      passed: (row) => this.mark(row),
      hovered: (row) => this.mark(row),
      closed: () => this.close(),
      empty: () => this.empty(),
      around: () => this.drawAround(),
    });
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

  // --- what belongs together ---------------------------------------------------------------------------------------------

  private mark(row: MessageRow | undefined): void {
    this.listing.table.mark(new Set(row ? this.store.related(row).map((one) => one.seq) : []));
  }

  private jump(row: MessageRow): void {
    this.listing.table.choosePlace(row.seq);
    this.mark(row);
    void this.show(row.seq, row);
  }

  private jumpTo(seq: number): void {
    this.listing.table.choosePlace(seq);
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

  private close(): boolean {
    if (this.open === undefined) return false;
    this.listing.still();
    this.open = undefined;
    this.drawer.hidden = true;
    fill(this.drawer);
    this.element.classList.remove("mcpw-open");
    this.listing.table.unchoose();
    return true;
  }

  private drawerKey(event: KeyboardEvent): void {
    event.stopPropagation(); // Notebooks have keys of their own.
    if (event.key === "Escape" && this.close()) this.listing.table.focus();
  }
}
