/** The table of tools in the latency panel: what was called how often, and how long it took. Selecting a row is all it can do. */

import { el, shown } from "../dom";
import { duration, number } from "../format";
import type { Quantiles, ToolRow } from "../messages";
import { type Row, Rows, setAria, setText } from "./parts";

interface ColumnKind {
  readonly id: string;
  readonly title: string;
  readonly what: string;
  readonly value: (row: ToolRow) => number | string;
}

const TOTALS: readonly (readonly [keyof Quantiles, string])[] = [
  ["p50", "p50"],
  ["p90", "p90"],
  ["p99", "p99"],
  ["p999", "p99.9"],
];

const COLUMNS: readonly ColumnKind[] = [
  { id: "tool", title: "Tool", what: "Name of the tool", value: (row) => row.name },
  { id: "calls", title: "Calls", what: "Calls that ended, failed ones included", value: (row) => row.n },
  { id: "perS", title: "Per s", what: "Calls a second, over the last ten seconds", value: (row) => row.perS ?? 0 },
  { id: "errors", title: "Errors", what: "Calls that failed", value: (row) => row.errors ?? 0 },
  ...TOTALS.map(([key, title]) => ({
    id: key,
    title,
    what: `${title} of the total time of calls that ended well`,
    value: (row: ToolRow) => row.total?.[key] ?? -1,
  })),
  { id: "shares", title: "At p50", what: "How the time divides at p50: waiting, running, sending", value: (row) => waitShare(row) },
];

export interface Sort {
  readonly by: string;
  readonly down: boolean;
}

export const FIRST_SORT: Sort = { by: "calls", down: true };

/** `calls:down` and back, for `Link.remember`. */
export function sortOf(text: string | undefined): Sort {
  const [by, direction] = (text ?? "").split(":");
  return COLUMNS.some(({ id }) => id === by) ? { by: by ?? "", down: direction === "down" } : FIRST_SORT;
}

export function sorted(rows: Iterable<ToolRow>, sort: Sort): ToolRow[] {
  const value = COLUMNS.find(({ id }) => id === sort.by)?.value ?? ((row: ToolRow) => row.name);
  const order = (a: ToolRow, b: ToolRow) => {
    const [x, y] = [value(a), value(b)];
    const by = typeof x === "string" ? x.localeCompare(String(y)) : x - Number(y);
    return (sort.down ? -by : by) || a.name.localeCompare(b.name);
  };
  return [...rows].sort(order);
}

/** Percent of waiting, running and sending at p50; null: nothing ended well. */
export function shares(row: ToolRow): { wait: number; run: number; send: number } | null {
  const [wait, run, send] = [row.wait, row.run, row.send].map((phase) => phase?.p50 ?? 0) as [number, number, number];
  const all = wait + run + send;
  if (all <= 0) return null;
  return { wait: (100 * wait) / all, run: (100 * run) / all, send: (100 * send) / all };
}

function waitShare(row: ToolRow): number {
  return shares(row)?.wait ?? -1;
}

export class ToolTable {
  readonly element: HTMLElement;
  private readonly rows: Rows<ToolRow>;
  private readonly heads: readonly HTMLTableCellElement[];
  private readonly choose: (tool: string) => void;
  private readonly resort: (sort: Sort) => void;
  private readonly body: HTMLTableSectionElement;
  private sort: Sort;
  private selected = "";

  constructor(sort: Sort, choose: (tool: string) => void, resort: (sort: Sort) => void) {
    this.sort = sort;
    this.choose = choose;
    this.resort = resort;
    this.heads = COLUMNS.map((column) => this.head(column));
    this.body = el("tbody", { on: { keydown: (event) => this.key(event as KeyboardEvent) } });
    this.rows = new Rows(
      this.body,
      ({ name }) => name,
      ({ name }) => this.row(name),
    );
    const table = el("table", { class: "mcpw-figure-tools", role: "grid" }, el("thead", {}, el("tr", {}, ...this.heads)), this.body);
    setAria(table, { label: "Tools" });
    this.element = el("div", { class: "mcpw-figure-scroll" }, table);
  }

  /** All tools, and which of them is shown. */
  draw(tools: Iterable<ToolRow>, selected: string): void {
    this.selected = selected;
    const direction = this.sort.down ? "descending" : "ascending";
    for (const [i, head] of this.heads.entries()) setAria(head, { sort: COLUMNS[i]?.id === this.sort.by ? direction : "none" });
    const rows = sorted(tools, this.sort);
    this.rows.set(rows);
    // The tab key leads to one row; the arrow keys to the others.
    const entry = rows.some(({ name }) => name === selected) ? selected : rows[0]?.name;
    for (const { name } of rows) {
      const element = this.rows.get(name)?.element;
      if (element === undefined) continue;
      element.tabIndex = name === entry ? 0 : -1;
      setAria(element, { selected: String(name === selected) });
    }
  }

  private head(column: ColumnKind): HTMLTableCellElement {
    const press = el(
      "button",
      { class: "mcpw-figure-sort", title: column.what, testid: `sort-${column.id}`, on: { click: () => this.by(column.id) } },
      column.title,
    );
    press.type = "button";
    const head = el("th", { class: columnClass(column.id) }, press);
    head.scope = "col";
    return head;
  }

  private by(id: string): void {
    this.sort = this.sort.by === id ? { by: id, down: !this.sort.down } : { by: id, down: id !== "tool" };
    this.resort(this.sort);
  }

  private row(name: string): Row<ToolRow> {
    const cells = COLUMNS.slice(1).map(({ id }) => el("td", { class: columnClass(id) }));
    const title = el("th", { class: "mcpw-figure-name", title: shown(name, 200).textContent ?? "" }, shown(name, 200));
    title.scope = "row";
    const element = el("tr", { testid: "tool-row", role: "row", on: { click: () => this.choose(name) } }, title, ...cells);
    element.dataset.tool = name;
    return { element, update: (row) => updateCells(row, cells) };
  }

  private key(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest("tr");
    if (row === null) return;
    const all = [...this.body.children] as HTMLElement[];
    const here = all.indexOf(row);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[Math.min(Math.max(to, 0), all.length - 1)]?.focus();
    else if (event.key === "Enter" || event.key === " ") this.choose(row.dataset.tool ?? this.selected);
    else return;
    event.preventDefault();
  }
}

function columnClass(id: string): string {
  return id === "tool" ? "mcpw-figure-name" : `mcpw-figure-column-${id}`;
}

function updateCells(row: ToolRow, cells: readonly HTMLElement[]): void {
  const [calls, perS, errors, ...rest] = cells as [HTMLElement, HTMLElement, HTMLElement, ...HTMLElement[]];
  setText(calls, number(row.n));
  setText(perS, rate(row.perS ?? 0));
  setText(errors, number(row.errors ?? 0));
  errors.classList.toggle("mcpw-figure-bad", (row.errors ?? 0) > 0);
  for (const [i, [key]] of TOTALS.entries()) setQuantile(rest[i] ?? calls, row, key);
  setShares(rest[TOTALS.length] ?? calls, row);
}

export function rate(perS: number): string {
  return perS === 0 ? "0" : perS < 10 ? perS.toFixed(1) : number(Math.round(perS));
}

function setQuantile(cell: HTMLElement, row: ToolRow, key: keyof Quantiles): void {
  const us = row.total?.[key] ?? null;
  setText(cell, us === null ? "–" : duration(us));
  cell.title = us === null ? whyNone(row.n - (row.errors ?? 0), key) : "";
}

/** Why there is no such quantile of `n` calls. */
export function whyNone(n: number, key: keyof Quantiles): string {
  if (n === 0) return "no such call";
  return key === "p999" ? "needs 1,000 calls" : "needs more calls";
}

function setShares(cell: HTMLElement, row: ToolRow): void {
  const parts = shares(row);
  if (parts === null) {
    cell.replaceChildren("–");
    cell.title = "no call ended well";
    return;
  }
  const text = `wait ${Math.round(parts.wait)} %, run ${Math.round(parts.run)} %, send ${Math.round(parts.send)} %`;
  if (cell.title === text) return;
  cell.title = text;
  const bar = el("span", { class: "mcpw-figure-shares", role: "img" });
  setAria(bar, { label: text });
  for (const phase of ["wait", "run", "send"] as const) {
    const part = el("span", { class: `mcpw-figure-share-${phase}` });
    part.style.width = `${parts[phase]}%`;
    bar.append(part);
  }
  cell.replaceChildren(bar);
}
