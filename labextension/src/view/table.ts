/**
 * A table of any length with few rows in the document: fixed row height, a header that stays, columns that leave where it is narrow,
 * and the keyboard. It follows the newest row unless somebody has scrolled away, chosen a row or paused; then a button says how many
 * are new. It knows nothing of calls; `rows.ts` has the order.
 */
import { button, type Child, el, fill, setText } from "./dom";
import { number } from "./format";
import { type Compare, RowOrder, windowOf } from "./rows";

const SPARE = 6;
const MOST = 160;
/** A row that is being aimed at stays where it is for so long. */
const AIM_MS = 700;
/** Between columns, and at both ends, as in style.css. */
const GAP = 10;

export interface Column<Row> {
  id: string;
  title: string;
  hint?: string;
  /** Pixels it needs. */
  width: number;
  /** Its share of what is left; left out: it keeps its width. */
  grows?: number;
  /** Which go first where it is narrow: those with the highest. */
  rank: number;
  right?: boolean;
  cell(row: Row): Child;
  /** Sorts ascending; left out: the column does not sort. */
  compare?: Compare<Row>;
}

export interface TableOptions<Row> {
  label: string;
  testid: string;
  columns: readonly Column<Row>[];
  rowHeight?: number;
  /** Distinct, and ascending with age where `newestFirst`. */
  place(row: Row): number;
  newestFirst?: boolean;
  /** A row that is one cell, for instance a gap. */
  whole?(row: Row): Child | undefined;
  rowClass?(row: Row): string;
  /** Enter or click. */
  opened(row: Row): void;
  /** The keyboard has moved to this row. */
  moved?(row: Row): void;
  /** The pointer is over this row now, or over none. */
  hovered?(row: Row | undefined): void;
  /** Esc; returns whether there was something to close. */
  closed?(): boolean;
  /** Somebody has scrolled near the end: more may be asked for. */
  atEnd?(): void;
  sorted?(column: string): void;
  /** What to say where there is no row. */
  empty(): Child;
}

interface Drawn<Row> {
  row: Row;
  element: HTMLElement;
  index: number;
}

let tables = 0;

export class Table<Row> {
  readonly element: HTMLElement;
  private readonly order: RowOrder<Row>;
  private readonly name = `mcpw-table-${++tables}`;
  private readonly rowHeight: number;
  private readonly head = el("div", { class: "mcpw-row mcpw-head", role: "row", aria: { rowindex: 1 } });
  private readonly body = el("div", { class: "mcpw-rows", role: "rowgroup" });
  private readonly grid: HTMLElement;
  private readonly news: HTMLButtonElement;
  private readonly none = el("div", { class: "mcpw-empty" });
  private readonly sizes: ResizeObserver;
  private columns: readonly Column<Row>[] = [];
  private drawn = new Map<number, Drawn<Row>>();
  private drawnAt = 0;
  private active: number | undefined;
  /** Places of rows that are marked. */
  private marked: ReadonlySet<number> = new Set();
  private hovered: Row | undefined;
  private paused = false;
  private pressed = false;
  private aimed = 0;
  private frame = 0;
  private saysNone = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sort = { column: "", descending: false };

  constructor(private readonly options: TableOptions<Row>) {
    this.rowHeight = options.rowHeight ?? 24;
    this.order = new RowOrder(options.place, options.newestFirst ?? false);
    this.news = button("", () => this.toNewest(), { class: "mcpw-news", testid: `${options.testid}-news` });
    this.news.hidden = true;
    const header = el("div", { role: "rowgroup", class: "mcpw-headgroup" }, this.head);
    this.grid = el(
      "div",
      { class: "mcpw-grid", role: "grid", tabindex: 0, testid: options.testid, aria: { label: options.label }, on: this.listeners() },
      header,
      this.body,
    );
    this.element = el("div", { class: "mcpw-table" }, this.grid, this.news, this.none);
    this.element.style.setProperty("--mcpw-row", `${this.rowHeight}px`);
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.grid);
    this.chooseColumns(0);
  }

  /** Rows were added at the end, or dropped at the beginning; `arrived` only grows. */
  append(rows: readonly Row[], arrived = 0): void {
    this.order.append(rows, arrived);
    this.drawSoon();
  }

  /** The rows are others now. */
  replace(rows: readonly Row[], arrived = 0): void {
    this.order.replace(rows, arrived);
    this.aimed = 0;
    this.saysNone = false;
    this.drawSoon();
  }

  /** The rows are others now, seen from their beginning. */
  restart(rows: readonly Row[], arrived = 0): void {
    this.active = undefined;
    this.grid.scrollTop = 0;
    this.replace(rows, arrived);
    this.holdOrFollow();
  }

  /** What is shown stays as it is until resumed. */
  pause(paused: boolean): void {
    this.paused = paused;
    this.holdOrFollow();
    this.drawSoon();
  }

  /** No row is chosen any more. */
  unchoose(): void {
    this.aimed = 0;
    this.active = undefined;
    this.holdOrFollow();
    this.drawSoon();
  }

  /** Up to where the newest is, following it again unless paused. */
  toNewest(): void {
    this.aimed = 0;
    this.active = undefined;
    this.grid.scrollTop = 0;
    this.order.release();
    this.holdOrFollow();
    this.drawSoon();
  }

  /** These rows are marked, and no others. */
  mark(places: ReadonlySet<number>): void {
    this.marked = places;
    for (const [place, { element }] of this.drawn) element.classList.toggle("mcpw-marked", places.has(place));
  }

  /** Choose the row at a place and bring it into view; says whether there is one. */
  choosePlace(place: number): boolean {
    const index = this.order.find((row) => this.options.place(row) === place);
    if (index >= 0) this.bring(index);
    return index >= 0;
  }

  focus(): void {
    this.grid.focus({ preventScroll: true });
  }

  /** Args: the id of a column, with `-` in front for descending; empty: as they came. */
  sortBy(text: string): void {
    const descending = text.startsWith("-");
    const column = this.options.columns.find((one) => one.id === text.replace("-", ""));
    const compare = column?.compare;
    this.sort = { column: compare ? (column?.id ?? "") : "", descending };
    this.order.sortBy(compare && (descending ? (a, b) => compare(b, a) : compare));
    this.drawHead();
    this.drawSoon();
  }

  dispose(): void {
    this.letGo();
    this.sizes.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.timer);
    this.element.remove();
  }

  // --- what people do ----------------------------------------------------------------------------------------------------

  private listeners(): Record<string, (event: never) => void> {
    return {
      scroll: () => this.scrolled(),
      keydown: (event: KeyboardEvent) => this.key(event),
      pointerdown: () => {
        this.pressed = true;
        document.addEventListener("pointerup", this.letGo);
        document.addEventListener("pointercancel", this.letGo);
      },
      pointermove: (event: PointerEvent) => {
        this.aimed = performance.now();
        this.hover(this.rowAt(event.target as Element));
      },
      pointerleave: () => this.hover(undefined),
      click: (event: MouseEvent) => this.click(event),
    };
  }

  private readonly letGo = (): void => {
    this.pressed = false;
    document.removeEventListener("pointerup", this.letGo);
    document.removeEventListener("pointercancel", this.letGo);
    this.drawSoon();
  };

  private scrolled(): void {
    this.aimed = 0;
    this.holdOrFollow();
    this.drawSoon();
  }

  private holdOrFollow(): void {
    if (!this.options.newestFirst) return;
    const following = this.grid.scrollTop < this.rowHeight && this.active === undefined && !this.paused;
    if (following) this.order.release();
    else this.order.hold();
  }

  private click(event: MouseEvent): void {
    const target = event.target as Element;
    if (target.closest("button")) return;
    const row = this.rowAt(target);
    if (row === undefined) return;
    this.choose(row);
    this.options.opened(row);
  }

  private rowAt(target: Element): Row | undefined {
    const element = target.closest<HTMLElement>(".mcpw-row:not(.mcpw-head)");
    return element ? [...this.drawn.values()].find((one) => one.element === element)?.row : undefined;
  }

  private hover(row: Row | undefined): void {
    if (row === this.hovered) return;
    this.hovered = row;
    this.options.hovered?.(row);
  }

  private choose(row: Row): void {
    this.aimed = 0;
    this.active = this.options.place(row);
    this.holdOrFollow();
    this.drawSoon();
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.grid || event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / this.rowHeight) - 2);
    const now = this.activeIndex();
    const last = this.order.length - 1;
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, PageDown: now + page, PageUp: now - page, Home: 0, End: last }[event.key];
    if (to !== undefined && last >= 0) this.moveTo(Math.max(0, Math.min(to, last)));
    else if (event.key === "Enter" && now >= 0) this.options.opened(this.order.at(now) as Row);
    else if (event.key === "Escape") this.escape();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Notebooks have keys of their own.
  }

  private escape(): void {
    if (!this.options.closed?.()) this.unchoose();
  }

  private moveTo(index: number): void {
    const row = this.bring(index);
    if (row !== undefined) this.options.moved?.(row);
  }

  private bring(index: number): Row | undefined {
    const row = this.order.at(index);
    if (row === undefined) return undefined;
    const top = index * this.rowHeight;
    const visible = this.grid.clientHeight - this.head.offsetHeight;
    this.choose(row);
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + this.rowHeight > this.grid.scrollTop + visible) this.grid.scrollTop = top + this.rowHeight - visible;
    return row;
  }

  private activeIndex(): number {
    if (this.active === undefined) return -1;
    const drawn = this.drawn.get(this.active);
    if (drawn && this.order.at(drawn.index) === drawn.row) return drawn.index;
    return this.order.find((row) => this.options.place(row) === this.active);
  }

  // --- drawing -----------------------------------------------------------------------------------------------------------

  private resized(): void {
    if (this.chooseColumns(this.grid.clientWidth)) this.forget();
    this.draw();
  }

  private chooseColumns(width: number): boolean {
    const chosen = fitting(this.options.columns, width);
    const same = chosen.length === this.columns.length;
    this.columns = chosen;
    if (same) return false;
    const tracks = chosen.map(({ width, grows }) => (grows ? `minmax(${width}px, ${grows}fr)` : `${width}px`));
    this.element.style.setProperty("--mcpw-columns", tracks.join(" "));
    this.drawHead();
    return true;
  }

  private forget(): void {
    for (const { element } of this.drawn.values()) element.remove();
    this.drawn = new Map();
  }

  private drawHead(): void {
    const cells = this.columns.map((column) => {
      const sorted = this.sort.column === column.id;
      const direction = this.sort.descending ? "descending" : "ascending";
      const cell = el("div", {
        class: column.right ? "mcpw-right" : "",
        role: "columnheader",
        aria: { sort: sorted ? direction : undefined },
        ...(column.hint ? { title: column.hint } : {}),
      });
      const arrow = sorted ? (this.sort.descending ? " ↓" : " ↑") : "";
      if (column.compare)
        cell.append(button(column.title + arrow, () => this.turn(column.id), { testid: `${this.options.testid}-sort-${column.id}` }));
      else cell.append(column.title);
      return cell;
    });
    fill(this.head, ...cells);
  }

  /** Descending, ascending, as they came. */
  private turn(column: string): void {
    const { column: was, descending } = this.sort;
    const next = was !== column ? `-${column}` : descending ? column : "";
    this.sortBy(next);
    this.options.sorted?.(next);
  }

  private drawSoon(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.frame = 0;
    const rest = AIM_MS - (performance.now() - this.aimed);
    if (!this.pressed && !(this.aimed && rest > 0)) return this.draw();
    clearTimeout(this.timer);
    if (!this.pressed) this.timer = setTimeout(() => this.drawSoon(), rest);
  }

  private draw(): void {
    const { grid, order, rowHeight } = this;
    const height = grid.clientHeight;
    if (!height) return;
    // A leap draws what is seen and no more, in one frame; the next one brings the rows around it.
    const leapt = Math.abs(grid.scrollTop - this.drawnAt) > height;
    this.drawnAt = grid.scrollTop;
    if (leapt) this.drawSoon();
    const [first, last] = windowOf(this.drawnAt, height, rowHeight, order.length, leapt ? 0 : SPARE, MOST);
    this.body.style.height = `${order.length * rowHeight}px`;
    const kept = new Map<number, Drawn<Row>>();
    for (let index = first; index < last; index += 1) {
      const row = order.at(index);
      if (row !== undefined) kept.set(this.options.place(row), this.drawRow(row, index));
    }
    for (const [place, { element }] of this.drawn) if (kept.get(place)?.element !== element) element.remove();
    this.drawn = kept;
    this.putInOrder();
    this.drawAround();
    if (grid.scrollTop > 0 && last >= order.length) this.options.atEnd?.();
  }

  private drawRow(row: Row, index: number): Drawn<Row> {
    const place = this.options.place(row);
    const known = this.drawn.get(place);
    const element = known?.row === row ? known.element : this.makeRow(row);
    if (known?.element !== element || known.index !== index) {
      element.style.transform = `translateY(${index * this.rowHeight}px)`;
      element.setAttribute("aria-rowindex", String(index + 2));
    }
    const marked = this.marked.has(place);
    if (element.classList.contains("mcpw-marked") !== marked) element.classList.toggle("mcpw-marked", marked);
    const active = place === this.active;
    if (element.classList.contains("mcpw-active") !== active) element.classList.toggle("mcpw-active", active);
    return { row, element, index };
  }

  private makeRow(row: Row): HTMLElement {
    const id = `${this.name}-${String(this.options.place(row)).replace(".", "-")}`;
    const element = el("div", {
      id,
      class: `mcpw-row ${this.options.rowClass?.(row) ?? ""}`,
      role: "row",
      testid: `${this.options.testid}-row`,
    });
    const whole = this.options.whole?.(row);
    if (whole !== undefined) {
      element.append(el("div", { class: "mcpw-whole", role: "gridcell", aria: { colspan: this.columns.length } }, whole));
      return element;
    }
    for (const column of this.columns)
      element.append(el("div", { class: column.right ? "mcpw-right" : "", role: "gridcell" }, column.cell(row)));
    return element;
  }

  private putInOrder(): void {
    let next = this.body.firstChild;
    for (const { element } of this.drawn.values()) {
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
  }

  private drawAround(): void {
    const { grid, order } = this;
    grid.setAttribute("aria-rowcount", String(order.length + 1));
    const active = this.active === undefined ? undefined : this.drawn.get(this.active);
    if (active) grid.setAttribute("aria-activedescendant", active.element.id);
    else grid.removeAttribute("aria-activedescendant");
    const waiting = order.isHeld ? order.waiting : 0;
    this.news.hidden = waiting <= 0;
    if (waiting > 0) setText(this.news, `${number(waiting)} new ↑`);
    const empty = order.length === 0;
    if (empty && !this.saysNone) fill(this.none, this.options.empty());
    this.saysNone = empty;
    this.none.hidden = !empty;
  }
}

/** The columns that have room, the most important first; in their own order. */
export function fitting<Row>(columns: readonly Column<Row>[], width: number): readonly Column<Row>[] {
  let left = width - GAP;
  const chosen = new Set<Column<Row>>();
  for (const column of [...columns].sort((a, b) => a.rank - b.rank)) {
    left -= column.width + GAP;
    if (left < 0 && chosen.size) break;
    chosen.add(column);
  }
  return columns.filter((column) => chosen.has(column));
}
