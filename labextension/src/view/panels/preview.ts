/**
 * The first rows of a DataFrame as a table of texts. It asks when it is opened and again for each newer version, one question at a
 * time: a DataFrame that changes faster than it can be asked for is shown as often as it can be.
 */

import { el, shown } from "../dom";
import { number } from "../format";
import type { Preview } from "../messages";
import type { Link } from "../panel";
import { button, sentenceOf, setAria, setText } from "./parts";

/** Characters of a cell that are seen. */
const CELL = 48;

export class PreviewTable {
  readonly element: HTMLElement;
  private readonly link: Link;
  private readonly name: string;
  private readonly line = el("p", { class: "mcpw-figure-chart-line", role: "status", testid: "preview-line" });
  private readonly place = el("div", { class: "mcpw-figure-scroll mcpw-figure-preview-place", tabindex: 0, role: "region" });
  private open = false;
  private asking = false;
  /** The version that is seen or asked for. */
  private version = 0;
  /** The newest one that was heard of. */
  private newest = 0;

  constructor(link: Link, name: string) {
    this.link = link;
    this.name = name;
    setAria(this.place, { label: `First rows of ${shown(name, 80).textContent ?? ""}` });
    this.element = el("div", { class: "mcpw-figure-preview", testid: "preview" }, this.line, this.place);
    this.element.hidden = true;
  }

  get isOpen(): boolean {
    return this.open;
  }

  show(open: boolean): void {
    this.open = open;
    this.element.hidden = !open;
    if (open) this.renew();
  }

  /** There is this version now. */
  heard(version: number): void {
    this.newest = version;
    if (this.open) this.renew();
  }

  private renew(): void {
    if (!this.asking && this.version !== this.newest) void this.ask();
  }

  private async ask(): Promise<void> {
    this.asking = true;
    this.version = this.newest;
    if (!this.place.hasChildNodes()) setText(this.line, this.link.waitsForCells ? "Asked; answered when no cell is busy …" : "Asked …");
    try {
      const answer = await this.link.ask({ type: "getPreview", name: this.name });
      if (answer.type === "preview") this.draw(answer);
      else this.failed(answer.type === "done" ? answer.sentence : `Expected a preview and got "${answer.type}": reload this view.`);
    } catch (reason) {
      this.failed(sentenceOf(reason));
    } finally {
      this.asking = false;
    }
    if (this.open) this.renew();
  }

  /** What was seen before stays, with the sentence above it. */
  private failed(sentence: string): void {
    const again = button("Try again", "preview-again", () => {
      this.version = 0;
      this.line.replaceChildren();
      this.renew();
    });
    this.line.replaceChildren(shown(sentence, 500), " ", again);
  }

  private draw(preview: Preview): void {
    this.version = Math.max(this.version, preview.version);
    setText(this.line, extent(preview));
    const table = el("table", { class: "mcpw-figure-preview-table", testid: "preview-table" }, headOf(preview), bodyOf(preview));
    this.place.replaceChildren(table);
  }
}

/** `First 20 of 1,000,000 rows, 50 of 300 columns, version 17`. */
export function extent({ rows, columns, allRows, allColumns, version, ...rest }: Preview): string {
  const seen = columns.length - (rest.indexColumns ?? 0);
  const part = (n: number, all: number, noun: string) =>
    n < all ? `first ${number(n)} of ${number(all)} ${noun}s` : `${number(all)} ${noun}${all === 1 ? "" : "s"}`;
  const text = `${part(rows.length, allRows, "row")}, ${part(seen, allColumns, "column")}, version ${number(version)}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function headOf({ columns, indexColumns }: Preview): HTMLElement {
  const heads = columns.map(({ name, dtype }, i) => {
    const isIndex = i < (indexColumns ?? 0);
    const head = el(
      "th",
      { class: isIndex ? "mcpw-figure-index" : "" },
      shown(name, 60),
      el("span", { class: "mcpw-figure-dtype" }, shown(dtype, 40)),
    );
    head.scope = "col";
    return head;
  });
  if (indexColumns) return el("thead", {}, el("tr", {}, ...heads));
  const row = el("th", { class: "mcpw-figure-index" }, "Row");
  row.scope = "col";
  return el("thead", {}, el("tr", {}, row, ...heads));
}

function bodyOf({ columns, rows, indexColumns }: Preview): HTMLElement {
  const isNumber = columns.map(({ dtype }) => /^(u?int|float|decimal|double)/i.test(dtype));
  const body = rows.map((cells, n) => {
    const row = cells.map((text, i) => {
      const kind = i < (indexColumns ?? 0) ? "mcpw-figure-index" : isNumber[i] ? "mcpw-figure-number" : "";
      return el(i < (indexColumns ?? 0) ? "th" : "td", { class: kind }, shown(text, CELL));
    });
    return el("tr", {}, ...(indexColumns ? [] : [el("th", { class: "mcpw-figure-index" }, number(n))]), ...row);
  });
  return el("tbody", {}, ...body);
}
