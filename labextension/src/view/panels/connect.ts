/** How an agent gets here: one text to paste for each host, then its first session, live; and what it is offered. */
import { badge } from "../badge";
import { button, el, fill, setText, shown } from "../dom";
import { copyButton } from "../drawer";
import { bytes, counted, elapsed, number } from "../format";
import type { SessionRow, Snippet, State, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";

const TICK_MS = 1_000;
const NAMES = 60;
const SESSIONS = 4;

export const connect: PanelKind = { id: "connect", title: "Connect", watches: ["connect"], create: (link) => new ConnectPanel(link) };

class ConnectPanel implements Panel {
  readonly element: HTMLElement;
  private readonly state = el("div", { class: "mcpw-state", testid: "connect-state" });
  private readonly facts = el("span", { class: "mcpw-faint" });
  private readonly how = el("div", { testid: "connect-how" });
  private readonly who = el("div", { class: "mcpw-who", testid: "connect-who" });
  private readonly notices = el("div", { testid: "connect-notices" });
  private readonly offered = el("div", { testid: "connect-offered" });
  private readonly sessions = new Map<string, SessionRow>();
  private readonly lines = new Map<string, { calls: HTMLButtonElement; age: HTMLElement }>();
  private told: State | undefined;
  private drawnState: string | undefined;
  private live = true;
  /** What served last: told also when it serves no more. */
  private served: State | undefined;
  /** When it was told that it serves no more. */
  private ended: number | undefined;
  private drawnNotices = "";
  private drawnWho = "";
  private drawnSnippets = "";
  private drawnOffer = "";
  private timer: ReturnType<typeof setInterval> | undefined;
  private visible = false;

  constructor(private readonly link: Link) {
    this.element = el("div", { class: "mcpw-connect" }, this.state, this.notices, this.who, this.how, this.offered);
    this.reset();
  }

  take(message: ToView): void {
    if (message.type === "state") this.takeState(message);
    else if (message.type === "sessions") this.takeSessions(message.rows ?? [], message.gone ?? []);
    else return;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    clearInterval(this.timer);
    if (!visible) return;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.draw();
  }

  heard(live: boolean): void {
    this.live = live;
    if (this.visible) this.draw();
  }

  reset(): void {
    this.told = this.served = this.ended = undefined;
    this.sessions.clear();
    this.lines.clear();
    this.drawnState = undefined;
    this.drawnNotices = this.drawnWho = this.drawnSnippets = this.drawnOffer = "";
    for (const part of [this.state, this.how, this.who, this.notices, this.offered]) fill(part);
    fill(this.state, el("span", { class: "mcpw-faint mcpw-until-told" }, "waiting for the kernel…"));
  }

  dispose(): void {
    clearInterval(this.timer);
  }

  private takeState(message: State): void {
    this.ended = message.url ? undefined : (this.ended ?? this.link.now());
    this.told = message;
    if (message.url) this.served = message;
  }

  /** Whether the kernel serves, as far as is known. */
  private get serves(): boolean {
    return this.live && Boolean(this.told?.url);
  }

  private takeSessions(rows: readonly SessionRow[], gone: readonly string[]): void {
    for (const id of gone) this.sessions.delete(id);
    for (const row of rows) this.sessions.set(row.id, row);
  }

  private draw(): void {
    const { told } = this;
    if (!told) return;
    this.drawState(told);
    this.drawNotices(told.notices ?? []);
    this.drawWho();
    this.drawSnippets(told.connect ?? []);
    this.drawOffer(told);
    this.tick();
  }

  /** What people may be pointing at or selecting stays the same element; only texts change. */
  private drawState(told: State): void {
    const url = told.url || this.served?.url || "";
    const word = this.serves ? "Serving" : url || told.calls ? "Served" : "";
    const state = `${word} ${url} ${told.url ?? ""}`;
    if (state === this.drawnState) return;
    this.drawnState = state;
    const start = el("span", { class: "mcpw-faint" }, el("code", {}, "wb.start()"), " in a cell starts the server");
    const not = told.url ? [] : [el("div", {}, el("b", {}, "Not serving"), " ", start)];
    if (!word) return fill(this.state, ...not);
    fill(this.state, ...not, el("b", {}, word), " ", ...(url ? [el("code", { class: "mcpw-url" }, shown(url, 300)), " "] : []), this.facts);
  }

  private drawNotices(notices: readonly string[]): void {
    const text = JSON.stringify(notices);
    if (text === this.drawnNotices) return;
    this.drawnNotices = text;
    fill(this.notices, ...notices.map((notice) => el("div", { class: "mcpw-notice", role: "note" }, prose(notice))));
  }

  private drawWho(): void {
    const open = [...this.sessions.values()].filter((one) => !one.until).sort((a, b) => a.since - b.since);
    const names = JSON.stringify([this.serves, open.map((one) => [one.id, one.client, one.clientVersion])]);
    if (names !== this.drawnWho) this.drawNames(open, this.serves);
    this.drawnWho = names;
    for (const session of open) {
      const calls = this.lines.get(session.id)?.calls;
      if (calls) setText(calls, counted(session.calls ?? 0, "call"));
    }
  }

  private drawNames(open: readonly SessionRow[], serving: boolean): void {
    this.lines.clear();
    this.who.classList.toggle("mcpw-there", serving && open.length > 0);
    const waiting = el("span", {}, el("span", { class: "mcpw-pulse" }), "waiting for your agent…");
    if (!open.length) return fill(this.who, ...(serving ? [waiting] : []));
    const more = open.length - SESSIONS;
    const all = button(more > 0 ? `and ${counted(more, "further session")}` : "all sessions", () => this.link.go("sessions"), {
      class: "mcpw-link",
    });
    fill(this.who, ...open.slice(0, SESSIONS).map((session) => this.sessionLine(session)), all);
  }

  private sessionLine(session: SessionRow): HTMLElement {
    const name = el("span", {}, el("b", {}, shown(session.client || "unnamed client", 80)), " ", shown(session.clientVersion ?? "", 40));
    const calls = button("", () => this.link.go("calls", { session: session.id }), { class: "mcpw-link" });
    const age = el("span", { class: "mcpw-faint mcpw-time" });
    const line = el("div", { class: "mcpw-line", testid: "connect-session" }, badge(session.id, session.client), name, age, calls);
    this.lines.set(session.id, { calls, age });
    return line;
  }

  private drawSnippets(snippets: readonly Snippet[]): void {
    const text = JSON.stringify(snippets);
    if (text === this.drawnSnippets) return;
    this.drawnSnippets = text;
    if (!snippets.length) return fill(this.how);
    const chosen = snippets.find((one) => one.client === this.link.remember("connect.host")) ?? (snippets[0] as Snippet);
    const body = el("div", { testid: "connect-snippet" });
    const chooser = el("select", {
      class: "mcpw-select",
      aria: { label: "Host" },
      testid: "connect-host",
      on: { change: () => show(chooser.selectedIndex) },
    });
    chooser.append(...snippets.map((one) => el("option", {}, shown(one.title, 60).textContent ?? "")));
    const show = (index: number) => {
      const snippet = snippets[index];
      if (!snippet) return;
      this.link.remember("connect.host", snippet.client);
      fill(body, ...this.snippet(snippet));
    };
    chooser.selectedIndex = snippets.indexOf(chosen);
    fill(body, ...this.snippet(chosen));
    fill(this.how, el("div", { class: "mcpw-line" }, el("h4", {}, "Connect"), chooser), body);
  }

  private snippet(snippet: Snippet): HTMLElement[] {
    const copy = copyButton("Copy", snippet.text, this.link, "connect-copy");
    const code = el("div", { class: "mcpw-snippet" }, el("pre", { class: "mcpw-pre" }, shown(snippet.text, 8_000, { lines: true })), copy);
    const then = snippet.then ? [el("div", { class: "mcpw-faint" }, prose(snippet.then))] : [];
    return [el("div", {}, prose(snippet.what)), code, ...then];
  }

  private drawOffer(told: State): void {
    const offer = [
      ["tools", told.tools ?? []],
      ["resources", told.resources ?? []],
      ["prompts", told.prompts ?? []],
      ["DataFrames", told.dataframes ?? []],
      ["principals", told.principals ?? []],
    ] as const;
    const text = JSON.stringify(offer);
    if (text === this.drawnOffer) return;
    this.drawnOffer = text;
    const lines = offer.filter(([, names]) => names.length).map(([kind, names]) => this.offerLine(kind, names));
    const nothing = el("div", { class: "mcpw-faint" }, "Nothing yet: put ", el("code", {}, "@wb.tool"), " above a function.");
    fill(this.offered, el("h4", {}, "Offered"), ...(lines.length ? lines : [nothing]));
  }

  private offerLine(kind: string, names: readonly string[]): HTMLElement {
    const count = `${number(names.length)} ${names.length === 1 ? kind.slice(0, -1) : kind}`;
    const all = names.map((name) => () => this.offerName(kind, name));
    const list = el("div", { class: "mcpw-names-list" }, ...all.slice(0, NAMES).map((make) => make()));
    const rest = all.slice(NAMES);
    if (rest.length) {
      const more = button(`${number(rest.length)} more`, () => more.replaceWith(...rest.map((make) => make())), { class: "mcpw-link" });
      list.append(more);
    }
    return el("div", { class: "mcpw-names" }, el("span", { class: "mcpw-faint" }, kind === "principals" ? "for" : count), list);
  }

  private offerName(kind: string, name: string): HTMLElement {
    const [panel, wish, title] =
      kind === "tools"
        ? (["calls", { tool: name }, "Its calls"] as const)
        : kind === "DataFrames"
          ? (["dataframes", { name }, "Its first rows"] as const)
          : [];
    if (!panel) return el("code", {}, shown(name, 120));
    return button(shown(name, 120).textContent ?? "", () => this.link.go(panel, wish), { class: "mcpw-name", title });
  }

  private tick(): void {
    const now = this.link.now();
    const connected = this.serves ? "connected for" : "was connected for";
    for (const [id, { age }] of this.lines) setText(age, `${connected} ${elapsed(now - (this.sessions.get(id)?.since ?? now))}`);
    const { told } = this;
    if (told) setText(this.facts, factsOf({ ...told, since: this.served?.since ?? 0 }, this.ended ?? now));
  }
}

/** What is offered, with the names of DataFrames where the kernel tells them. */

/** A sentence of ours, in which `code` stands between such marks. */
function prose(sentence: string): HTMLElement {
  const parts = sentence.split("`").map((part, n) => (n % 2 ? el("code", {}, shown(part, 300)) : shown(part, 500)));
  return el("span", {}, ...parts);
}

function factsOf(told: State, now: number): string {
  const facts = [...(told.since ? [`for ${elapsed(now - told.since)}`] : []), counted(told.calls ?? 0, "request")];
  facts.push(`${bytes(told.bytesIn ?? 0)} in, ${bytes(told.bytesOut ?? 0)} out`);
  if (told.failed) facts.push(`${number(told.failed)} failed here`);
  if (told.mistakes) facts.push(counted(told.mistakes, "caller mistake"));
  return facts.join(" · ");
}
