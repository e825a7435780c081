/**
 * The frame around the panels: how the connection stands, tabs, and the link that panels get. What a panel shows is its own affair;
 * the messages come from `client.ts`.
 */
import { Client, type Standing } from "./client";
import { button, el, fill, setText, shown } from "./dom";
import { number } from "./format";
import type { Sessions, ToView } from "./messages";
import type { Link, Panel, PanelKind } from "./panel";
import { panels as allPanels } from "./panels/index";
import type { Way } from "./way";

/** Told always: the header and the tabs need them. */
const ALWAYS = ["connect", "sessions"];

export interface ViewOptions {
  /** One panel alone; left out, or `all`: all of them, with tabs. */
  panel?: string;
  /** In a narrow place, such as a sidebar: without border and with less room around. */
  compact?: boolean;
  /** Keeps settings: `remember(key)` reads, `remember(key, value)` writes. */
  remember?: (key: string, value?: string) => string | undefined;
  /** The Workbench's name is known, or has changed. */
  named?: (name: string) => void;
  /** How it stands, or how many calls run, has changed: for where only a title is seen. */
  stands?: (state: Standing["state"], running: number) => void;
  panels?: readonly PanelKind[];
}

interface Shown {
  kind: PanelKind;
  panel: Panel;
  tab: HTMLButtonElement;
  count: HTMLElement;
}

type Wanted = Parameters<Link["watch"]>[0];

let views = 0;

/** Put a view into an element; it lives until disposed. */
export function mountView(host: HTMLElement, way: Way, options: ViewOptions = {}): { dispose(): void } {
  const view = new Shell(way, options);
  host.append(view.element);
  view.start();
  return view;
}

class Shell {
  readonly element: HTMLElement;
  private readonly client: Client;
  private readonly name = el("b", { class: "mcpw-name-of", testid: "name" });
  private readonly sentence = el("span", { class: "mcpw-ellipsis mcpw-faint", testid: "sentence" });
  private readonly remedy = el("div", { class: "mcpw-remedy" });
  private readonly tabs = el("div", { class: "mcpw-tabs", role: "tablist", aria: { label: "Panels" }, testid: "tabs" });
  private readonly body = el("div", { class: "mcpw-body" });
  private readonly shown: Shown[];
  private readonly wanted = new Map<PanelKind, Wanted>();
  private readonly kept = new Map<string, string>();
  /** Calls in flight, by session. */
  private readonly running = new Map<string, number>();
  private readonly id = `mcpw-${++views}`;
  /** One panel was asked for: others get their tabs when somebody is sent there. */
  private readonly alone: boolean;
  private live: boolean | undefined;
  private current: Shown | undefined;

  constructor(
    way: Way,
    private readonly options: ViewOptions,
  ) {
    this.client = new Client(way, {
      reset: () => {
        this.running.clear();
        this.each((panel) => panel.reset());
      },
      received: (message) => this.receive(message),
      changed: (standing) => this.standing(standing),
    });
    const all = options.panels ?? allPanels;
    this.alone = all.some((kind) => kind.id === options.panel);
    this.shown = all.map((kind) => this.make(kind));
    for (const { kind, tab } of this.shown) tab.hidden = this.alone && kind.id !== options.panel;
    this.tabs.hidden = this.tabbed.length < 2;
    const head = el("div", { class: "mcpw-header" }, el("span", { class: "mcpw-light" }), this.name, this.sentence);
    this.element = el(
      "div",
      { class: `mcpw${options.compact ? " mcpw-compact" : ""}`, testid: "mcpw" },
      head,
      this.remedy,
      this.tabs,
      this.body,
    );
  }

  start(): void {
    this.standing(this.client.standing);
    const wanted = this.alone ? this.options.panel : this.remember("panel");
    const first = this.shown.find(({ kind }) => kind.id === wanted) ?? this.shown[0];
    if (first) this.select(first);
    this.client.start();
  }

  dispose(): void {
    this.client.dispose();
    this.each((panel) => {
      panel.shown(false);
      panel.dispose();
    });
    this.element.remove();
  }

  // --- panels ------------------------------------------------------------------------------------------------------------

  private make(kind: PanelKind): Shown {
    const id = `${this.id}-${kind.id}`;
    const count = el("span", { class: "mcpw-tab-count" });
    const tab = button(kind.title, () => this.go(kind.id), {
      id: `${id}-tab`,
      class: "mcpw-tab",
      role: "tab",
      testid: `tab-${kind.id}`,
      aria: { controls: id },
    });
    tab.append(count);
    tab.addEventListener("keydown", (event) => this.tabKey(event));
    const panel = kind.create(this.link(kind));
    const { element } = panel;
    element.id = id;
    element.classList.add("mcpw-panel");
    element.dataset.testid = `panel-${kind.id}`;
    element.setAttribute("role", "tabpanel");
    element.setAttribute("aria-labelledby", tab.id);
    element.hidden = true;
    this.tabs.append(tab);
    this.body.append(element);
    return { kind, panel, tab, count };
  }

  private link(kind: PanelKind): Link {
    const { client } = this;
    return {
      ask: (question) => client.ask(question),
      watch: (wanted) => {
        this.wanted.set(kind, wanted);
        if (this.current?.kind === kind) this.watch();
      },
      now: () => client.now(),
      copy,
      go: (panel, wish) => this.go(panel, wish),
      remember: (key, value) => this.remember(key, value),
      get waitsForCells() {
        return client.waitsForCells;
      },
    };
  }

  /** The panels that can be chosen. */
  private get tabbed(): readonly Shown[] {
    return this.shown.filter(({ tab }) => !tab.hidden);
  }

  private go(id: string, wish?: Readonly<Record<string, string>>): void {
    const to = this.shown.find(({ kind }) => kind.id === id);
    if (!to) return;
    to.tab.hidden = false;
    this.tabs.hidden = this.tabbed.length < 2;
    if (to !== this.current) this.select(to);
    if (wish) to.panel.wish?.(wish);
  }

  private select(chosen: Shown): void {
    for (const one of this.shown) {
      const is = one === chosen;
      one.tab.setAttribute("aria-selected", String(is));
      one.tab.tabIndex = is ? 0 : -1;
      one.panel.element.hidden = !is;
      if (is !== (one === this.current)) one.panel.shown(is);
    }
    this.current = chosen;
    if (!this.alone) this.remember("panel", chosen.kind.id);
    this.watch();
  }

  private watch(): void {
    const kind = this.current?.kind;
    this.client.watch({ panels: [...new Set([...ALWAYS, ...(kind?.watches ?? [])])], ...(kind ? this.wanted.get(kind) : {}) });
  }

  private tabKey(event: KeyboardEvent): void {
    const there = this.tabbed;
    const at = there.findIndex(({ kind }) => kind === this.current?.kind);
    const last = there.length - 1;
    const to = { ArrowRight: at < last ? at + 1 : 0, ArrowLeft: at > 0 ? at - 1 : last, Home: 0, End: last }[event.key];
    const next = to === undefined ? undefined : there[to];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation(); // Notebooks have keys of their own.
    this.select(next);
    next.tab.focus();
  }

  private each(does: (panel: Panel) => void): void {
    for (const { panel } of this.shown) does(panel);
  }

  private remember(key: string, value?: string): string | undefined {
    if (this.options.remember) return this.options.remember(key, value);
    if (value !== undefined) this.kept.set(key, value);
    return this.kept.get(key);
  }

  // --- what the kernel says ----------------------------------------------------------------------------------------------

  private receive(message: ToView): void {
    if (message.type === "state") {
      fill(this.name, shown(message.name, 80));
      this.options.named?.(message.name);
    }
    if (message.type === "sessions") this.countSessions(message);
    this.each((panel) => panel.take(message));
  }

  private countSessions({ rows = [], gone = [], open = 0 }: Sessions): void {
    const count = this.shown.find(({ kind }) => kind.id === "sessions")?.count;
    if (count) setText(count, open ? number(open) : "");
    for (const id of gone) this.running.delete(id);
    for (const { id, running = 0 } of rows) this.running.set(id, running);
    this.stands();
  }

  private stands(): void {
    const running = [...this.running.values()].reduce((sum, one) => sum + one, 0);
    this.options.stands?.(this.client.standing.state, running);
  }

  private hear(live: boolean): void {
    if (live === this.live) return;
    this.live = live;
    this.each((panel) => panel.heard?.(live));
  }

  private standing(standing: Standing): void {
    this.element.dataset.state = standing.state;
    this.stands();
    this.hear(standing.state === "live");
    this.element.classList.toggle("mcpw-slow", standing.state === "live" && this.client.waitsForCells);
    if (standing.sentence !== this.sentence.title) fill(this.sentence, shown(standing.sentence, 500));
    this.sentence.title = standing.sentence;
    const { command, then } = standing;
    if (!command) return fill(this.remedy);
    const copyIt = button("Copy", () => void copy(command), { class: "mcpw-button", testid: "remedy-copy" });
    fill(this.remedy, el("code", {}, shown(command, 500)), copyIt, el("span", { class: "mcpw-faint" }, then ?? ""));
  }
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // Where the page may not use the clipboard, as in some frames.
  }
}

function copyBySelection(text: string): boolean {
  const area = el("textarea", { class: "mcpw-away" });
  area.value = text;
  document.body.append(area);
  area.select();
  const worked = document.execCommand("copy");
  area.remove();
  return worked;
}
