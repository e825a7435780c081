/** The filter above the calls: its field, facets, counts, pause. What the field says is the kernel's affair, facets are the store's. */
import { button, el, fill, inLine, setText } from "./dom";
import { EVERYTHING, type Filter } from "./filter";
import { FilterField } from "./filterfield";
import { number, outcomeClass } from "./format";
import type { Link } from "./panel";
import type { Facets } from "./store";

const CHOICES = 200;
const NAME = 60;

export interface ToolbarEvents {
  /** By the field: what the kernel is to choose. */
  applied(text: string): void;
  /** By facets: what of it is to be seen. */
  chosen(filter: Filter): void;
  paused(paused: boolean): void;
}

let toolbars = 0;

export class Toolbar {
  readonly element: HTMLElement;
  filter: Filter = EVERYTHING;
  private readonly field: FilterField;
  private readonly outcomes = el("div", { class: "mcpw-chips", role: "group", aria: { label: "Outcomes" } });
  private readonly tool: Choice;
  private readonly session: Choice;
  private readonly protocol: HTMLButtonElement;
  private readonly pauseButton: HTMLButtonElement;
  private readonly clear: HTMLButtonElement;
  private readonly counts = el("span", { class: "mcpw-counts", testid: "calls-counts" });
  private readonly rest = el("span");
  private paused = false;
  private drawnOutcomes = "";
  private readonly id = `mcpw-facets-${++toolbars}`;

  constructor(
    link: Link,
    private readonly events: ToolbarEvents,
  ) {
    this.field = new FilterField({
      link,
      panel: "calls",
      label: "Filter calls",
      example: "word  tool:sum  dur:>5ms  -outcome:ok",
      testid: "calls-filter",
      applied: (text) => {
        this.draw();
        events.applied(text);
      },
    });
    this.tool = new Choice("all tools", "Tool", "calls-tool", (tool) => this.set({ tool }));
    this.session = new Choice("all sessions", "Session", "calls-session", (session) => this.set({ session }));
    const hint = "Lists, handshakes and pings too";
    this.protocol = button("protocol", () => this.set({ protocol: !this.filter.protocol }), {
      class: "mcpw-chip",
      title: hint,
      testid: "calls-protocol",
    });
    this.pauseButton = button("Pause", () => this.pause(!this.paused), { class: "mcpw-button", testid: "calls-pause" });
    this.clear = button("Clear filter", () => this.show(EVERYTHING, ""), { class: "mcpw-link", testid: "calls-clear" });
    const facets = el(
      "div",
      { class: "mcpw-facets", id: this.id },
      this.outcomes,
      this.protocol,
      this.tool.element,
      this.session.element,
      this.clear,
    );
    const line = el("div", { class: "mcpw-filter" }, this.field.line, this.facetsButton(), this.counts, this.rest, this.pauseButton);
    this.element = el("div", { class: "mcpw-toolbar", role: "search" }, line, this.field.below, facets);
    this.draw();
  }

  /** Put something beside what is counted. */
  beside(rest: HTMLElement): void {
    fill(this.rest, rest);
  }

  /** Filter like this from now on. */
  show(filter: Filter, text = this.field.text): void {
    this.filter = filter;
    if (text !== this.field.text) this.field.show(text);
    this.draw();
    this.events.chosen(filter);
  }

  /** The kernel is heard again. */
  again(): void {
    this.field.again();
  }

  /** How many match, and what can be chosen. Args: `hidden` are the protocol's own, left out; `clients` are names by session. */
  update(matched: number, total: number, hidden: number, facets: Facets, clients: ReadonlyMap<string, string>): void {
    const all = total - hidden;
    const counts = matched === all ? number(all) : `${number(matched)} of ${number(all)}`;
    setText(this.counts, hidden ? `${counts}, ${number(hidden)} protocol hidden` : counts);
    this.drawOutcomes(facets.outcomes);
    this.tool.offer(facets.tools, this.filter.tool, (name) => name);
    this.session.offer(facets.sessions, this.filter.session, (id) => (clients.get(id) ? `${id}, ${clients.get(id)}` : id));
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.pauseButton.textContent = paused ? "Resume" : "Pause";
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    this.events.paused(paused);
  }

  dispose(): void {
    this.field.dispose();
  }

  /** Only seen where it is narrow: there the facets wait behind it. */
  private facetsButton(): HTMLButtonElement {
    const open = button("Facets", () => {
      open.setAttribute("aria-expanded", String(this.element.classList.toggle("mcpw-unfolded")));
    });
    open.className = "mcpw-button mcpw-unfold";
    open.title = "Outcomes, tools, sessions";
    open.dataset.testid = "calls-facets";
    open.setAttribute("aria-label", open.title);
    open.setAttribute("aria-expanded", "false");
    open.setAttribute("aria-controls", this.id);
    return open;
  }

  private set(change: Partial<Filter>): void {
    this.show({ ...this.filter, ...change });
  }

  private draw(): void {
    const { filter } = this;
    this.protocol.setAttribute("aria-pressed", String(filter.protocol));
    const filtered = this.field.text || filter.outcomes.size || filter.tool || filter.session || filter.protocol;
    this.clear.hidden = !filtered;
  }

  private drawOutcomes(counts: ReadonlyMap<string, number>): void {
    const names = [...new Set([...counts.keys(), ...this.filter.outcomes])].sort(okFirst);
    const drawn = JSON.stringify([names, [...this.filter.outcomes]]);
    if (drawn !== this.drawnOutcomes) fill(this.outcomes, ...names.map((name) => this.outcomeChip(name)));
    this.drawnOutcomes = drawn;
    for (const [index, name] of names.entries()) {
      const count = this.outcomes.children[index]?.lastElementChild;
      if (count) setText(count, number(counts.get(name) ?? 0));
    }
  }

  private outcomeChip(name: string): HTMLButtonElement {
    const chip = button(inLine(name, 20), () => this.turnOutcome(name), { class: `mcpw-chip mcpw-${outcomeClass(name)}` });
    chip.dataset.testid = `calls-outcome-${inLine(name, 20).replaceAll(" ", "-")}`;
    chip.setAttribute("aria-pressed", String(this.filter.outcomes.has(name)));
    chip.append(" ", el("span", { class: "mcpw-chip-count" }));
    return chip;
  }

  private turnOutcome(name: string): void {
    const outcomes = new Set(this.filter.outcomes);
    if (!outcomes.delete(name)) outcomes.add(name);
    this.set({ outcomes });
  }
}

function okFirst(a: string, b: string): number {
  return Number(b === "ok") - Number(a === "ok") || a.localeCompare(b);
}

/** A `select` whose options follow what there is, but not while it is open. */
export class Choice {
  readonly element: HTMLSelectElement;
  private drawn = "";

  constructor(
    private readonly all: string,
    label: string,
    testid: string,
    chosen: (value: string) => void,
  ) {
    this.element = el("select", { class: "mcpw-select", aria: { label }, testid, on: { change: () => chosen(this.element.value) } });
  }

  offer(counts: ReadonlyMap<string, number>, chosen: string, name: (value: string) => string): void {
    const values = [...counts.keys()]
      .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0))
      .slice(0, CHOICES)
      .sort((a, b) => a.localeCompare(b));
    if (chosen && !values.includes(chosen)) values.unshift(chosen);
    const names = values.map((value) => inLine(name(value), NAME));
    const drawn = JSON.stringify([values, names]);
    if (drawn !== this.drawn && document.activeElement !== this.element) {
      this.drawn = drawn;
      fill(this.element, option("", this.all), ...values.map((value, index) => option(value, names[index] ?? "")));
    }
    if (this.element.value !== chosen) this.element.value = chosen;
    this.element.hidden = values.length < 2 && !chosen;
    this.element.classList.toggle("mcpw-chosen", chosen !== "");
  }
}

function option(value: string, text: string): HTMLOptionElement {
  const element = el("option", {}, text);
  element.value = value;
  return element;
}
