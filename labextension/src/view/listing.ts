/**
 * What panels have in common that list what the kernel has numbered, newest first: the table, the gaps in it, and what is older; by a
 * filter, which the kernel reads and by which it chooses. What a row is, what stands above the table and beside it, is the panel's affair.
 */
import { button, type Child, el, fill, setText } from "./dom";
import { counted, number } from "./format";
import { type Entry, type Gap, isGap, type Ledger, MOST, type News, type Numbered, type Older, place } from "./ledger";
import type { Link } from "./panel";
import { type Column, Table, type TableOptions } from "./table";

const OLDER = 500;
const AGAIN_MS = 2_000;
const MOVING_MS = 90;

/** What older ones are asked by. */
export interface AskOlder {
  before: number;
  limit: number;
  filter?: string;
}

export interface ListingOptions<Row extends Numbered> {
  link: Link;
  store: Ledger<Row>;
  /** Name of the panel, as `PanelFilter` takes it, and of its test ids. */
  panel: string;
  /** What a row is: `call`. */
  noun: string;
  label: string;
  columns: readonly Column<Entry<Row>>[];
  /** Stands above the table. */
  above: readonly HTMLElement[];
  rowClass(row: Row): string;
  /** Ask the kernel for older ones; undefined: it answered something else. */
  older(asked: AskOlder): Promise<Older<Row> | undefined>;
  /** Enter or click. */
  opened(row: Row): void;
  /** The keyboard has stayed on this row for a moment. */
  moved(row: Row): void;
  /** The keyboard has come to this row. */
  passed?(row: Row): void;
  hovered?(row: Row | undefined): void;
  /** Esc; returns whether there was something to close. */
  closed(): boolean;
  sorted?(column: string): void;
  empty(): Child;
  /** What stands around the table is to be drawn. */
  around(): void;
}

export class Listing<Row extends Numbered> {
  readonly element: HTMLElement;
  readonly table: Table<Entry<Row>>;
  private readonly asking = new Set<number>();
  /** How much of what the kernel keeps is not here, and a way to have it: to be put where the rows are counted. */
  readonly rest: HTMLElement;
  private readonly restText = el("span");
  private readonly restButton: HTMLButtonElement;
  private readonly foot = el("div", { class: "mcpw-foot" });
  private isLoading = false;
  /** Which row is to be chosen as soon as it is there. */
  private awaited = 0;
  private visible = false;
  private moving: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: ListingOptions<Row>) {
    const { panel, noun } = options;
    this.table = new Table<Entry<Row>>(this.tableOptions());
    const more = button(`load ${OLDER} older ${noun}s`, () => this.oldest(), { class: "mcpw-link", testid: `${panel}-older` });
    fill(this.foot, "The kernel has more: ", more);
    this.restButton = button("load them", () => void this.loadAll(), { class: "mcpw-link", testid: `${panel}-load-all` });
    this.rest = el("span", { class: "mcpw-counts", testid: `${panel}-rest` }, this.restText, this.restButton);
    this.element = el("div", { class: "mcpw-list" }, ...options.above, this.table.element, this.foot);
  }

  /** News for the store. */
  take(message: News<Row>): void {
    const { store } = this.options;
    const { begun } = store;
    store.add(message);
    if (this.visible) this.draw();
    // What fits may be rare: all that is kept is looked through, once.
    if (store.filter && !begun && store.begun) this.oldest();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    if (visible) this.draw();
  }

  /** The kernel chooses by this from now on, and tells anew. */
  filter(text: string): void {
    const { link, panel, store } = this.options;
    store.begin(text);
    this.asking.clear();
    link.watch(text ? { filters: [{ panel, text }] } : {});
    this.restart();
  }

  /** The rows are others now, seen from their beginning. */
  restart(): void {
    const { store } = this.options;
    this.table.restart(store.entries, store.arrived);
    this.drawAround();
  }

  /** The store was emptied. */
  reset(): void {
    this.asking.clear();
    this.restart();
  }

  /** The rows are others now, where they are seen. */
  replace(): void {
    const { store } = this.options;
    this.table.replace(store.entries, store.arrived);
    this.drawAround();
  }

  /** Choose this row, as soon as it is there; until then none is chosen, and the newest are seen. */
  reveal(seq: number): void {
    this.awaited = 0;
    if (this.table.choosePlace(seq)) return;
    this.table.toNewest();
    if (!this.table.choosePlace(seq)) this.awaited = seq;
  }

  /** Nobody is to be shown what the keyboard was on last, or waits for. */
  still(): void {
    clearTimeout(this.moving);
    this.awaited = 0;
  }

  dispose(): void {
    this.isLoading = false;
    this.still();
    this.table.dispose();
  }

  private draw(): void {
    const { store } = this.options;
    this.table.append(store.entries, store.arrived);
    if (this.awaited && this.table.choosePlace(this.awaited)) this.awaited = 0;
    this.drawAround();
  }

  private drawAround(): void {
    this.foot.hidden = this.options.store.olderThan === 0;
    this.drawRest();
    this.options.around();
  }

  private drawRest(): void {
    const { filter, matched, total, kept, missing, wanting } = this.options.store;
    this.rest.hidden = !missing;
    const of = `of ${number(kept)} kept`;
    const here = filter ? `· ${number(missing)} more, not shown` : matched === total ? of : `· ${number(total)} ${of}`;
    setText(this.restText, wanting ? `${here}: ` : total < MOST ? here : `${here}; a view has room for ${number(MOST)}`);
    setText(this.restButton, this.isLoading ? "stop" : "load them");
    this.restButton.hidden = !wanting;
  }

  /** Everything that is missing, step by step, until it is there or somebody stops it. */
  private async loadAll(): Promise<void> {
    this.isLoading = !this.isLoading;
    const { store } = this.options;
    const { filter } = store;
    for (let before = store.wanting; this.isLoading && before && store.missing; before = store.wanting) {
      this.drawRest();
      if (!(await this.older(before)) || filter !== store.filter || store.wanting === before) break;
    }
    this.isLoading = false;
    this.drawRest();
  }

  private tableOptions(): TableOptions<Entry<Row>> {
    const { options } = this;
    const { hovered, sorted } = options;
    return {
      label: options.label,
      testid: options.panel,
      columns: options.columns,
      place,
      newestFirst: true,
      whole: (entry) => (isGap(entry) ? this.gapRow(entry) : undefined),
      rowClass: (entry) => (isGap(entry) ? "mcpw-gap" : options.rowClass(entry)),
      opened: (entry) => this.opened(entry),
      moved: (entry) => this.moved(entry),
      ...(hovered ? { hovered: (entry?: Entry<Row>) => hovered(entry && !isGap(entry) ? entry : undefined) } : {}),
      closed: () => options.closed(),
      atEnd: () => this.oldest(),
      ...(sorted ? { sorted } : {}),
      empty: () => options.empty(),
    };
  }

  private opened(entry: Entry<Row>): void {
    this.awaited = 0;
    if (isGap(entry)) this.fillGap(entry);
    else this.options.opened(entry);
  }

  private moved(entry: Entry<Row>): void {
    if (isGap(entry)) return;
    this.options.passed?.(entry);
    this.still();
    this.moving = setTimeout(() => this.options.moved(entry), MOVING_MS);
  }

  private gapRow(gap: Gap): HTMLElement {
    const load = button("load them", () => this.fillGap(gap), { class: "mcpw-link" });
    return el("span", {}, `${counted(gap.gap, this.options.noun)} not shown, too many at once: `, load);
  }

  private fillGap({ ask, before }: Gap): void {
    void this.older(ask ?? before);
  }

  private oldest(): void {
    void this.older(this.options.store.olderThan);
  }

  /** Returns whether they came. */
  private async older(before: number): Promise<boolean> {
    if (!before || this.asking.has(before)) return false;
    this.asking.add(before);
    const { store } = this.options;
    const { filter } = store;
    try {
      const answer = await this.options.older({ before, limit: OLDER, ...(filter ? { filter } : {}) });
      if (!answer || filter !== store.filter) return false;
      store.addOlder(answer, before);
      this.replace();
      this.asking.delete(before);
      return true;
    } catch {
      setTimeout(() => this.asking.delete(before), AGAIN_MS); // The header says how the connection stands; scrolling asks again.
      return false;
    }
  }
}
