/** The published DataFrames: shape, version, what changed last, who is told of it; the first rows of those that are opened. */

import { badge } from "../badge";
import { el, shown } from "../dom";
import { ago, number } from "../format";
import type { DataFrameRow, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { button, doneSentence, isBusy, type Row, Rows, sentenceOf, setAria, setBusy, setShown, setText, Ticker } from "./parts";
import { PreviewTable } from "./preview";

/** How a version came to be: an icon and a word for it. */
const KINDS: Readonly<Record<string, readonly [string, string]>> = {
  published: ["◆", "published"],
  append: ["↧", "rows added"],
  columns: ["▥", "columns changed"],
  schema: ["✎", "schema changed"],
  replace: ["⇄", "replaced"],
  touched: ["☝", "touched"],
};

/** What the symbols mean, below the list. */
function legend(): HTMLElement {
  const entries = Object.values(KINDS).map(([icon, word]) => el("span", {}, el("span", { class: "mcpw-figure-icon" }, icon), word));
  const badges = "Coloured letters: sessions that are told of changes.";
  return el("p", { class: "mcpw-figure-symbols", testid: "df-legend" }, ...entries, el("span", {}, badges));
}

class DataFramesPanel implements Panel {
  readonly element: HTMLElement;
  private readonly known = new Map<string, DataFrameRow>();
  private readonly list = el("ul", { class: "mcpw-figure-list" });
  private readonly empty = el("p", { class: "mcpw-figure-empty", testid: "dataframes-empty" });
  private readonly legend = legend();
  private readonly rows: Rows<DataFrameRow>;
  private readonly ticker: Ticker;
  private told = false;
  private visible = false;
  /** Name of the DataFrame that somebody came for. */
  private wished = "";

  constructor(link: Link) {
    this.rows = new Rows(
      this.list,
      ({ name }) => name,
      (row) => new DataFrameEntry(link, row.name),
    );
    this.ticker = new Ticker(() => this.draw());
    this.element = el("div", { class: "mcpw-dataframes", testid: "panel-dataframes" }, this.empty, this.list, this.legend);
    this.draw();
  }

  take(message: ToView): void {
    if (message.type !== "dataFrames") return;
    this.told = true;
    for (const name of message.gone ?? []) this.known.delete(name);
    for (const row of message.rows ?? []) this.known.set(row.name, row);
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.ticker.run(visible);
    if (visible) this.draw();
  }

  wish(wish: Readonly<Record<string, string>>): void {
    this.wished = wish.name ?? "";
    this.grant();
  }

  reset(): void {
    this.known.clear();
    this.told = false;
    this.draw();
  }

  dispose(): void {
    this.ticker.run(false);
    this.element.remove();
  }

  /** It may be wished for before anything was told of it. */
  private grant(): void {
    const entry = this.rows.get(this.wished);
    if (!(entry instanceof DataFrameEntry)) return;
    this.wished = "";
    entry.open(true);
    entry.element.scrollIntoView({ block: "nearest" });
  }

  private draw(): void {
    setText(
      this.empty,
      this.told ? "No DataFrame is published. In a cell: wb.publish(flights=flights)" : "Waiting for the list of DataFrames …",
    );
    this.empty.hidden = this.known.size > 0;
    this.legend.hidden = this.known.size === 0;
    this.rows.set([...this.known.values()].sort((a, b) => a.name.localeCompare(b.name)));
    this.grant();
  }
}

class DataFrameEntry implements Row<DataFrameRow> {
  readonly element: HTMLElement;
  private readonly link: Link;
  private readonly name: string;
  private readonly preview: PreviewTable;
  private readonly opener: HTMLButtonElement;
  private readonly shape = el("span", { class: "mcpw-figure-shape" });
  private readonly version = el("span", { class: "mcpw-figure-version" });
  private readonly change = el("span", { class: "mcpw-figure-change" });
  private readonly when = el("span", { class: "mcpw-figure-when" });
  private readonly subscribers = el("span", { class: "mcpw-figure-badges" });
  private readonly lost = el("p", { class: "mcpw-figure-lost", testid: "df-lost" });
  private readonly touch: HTMLButtonElement;
  private readonly said = el("p", { class: "mcpw-figure-said", role: "status", testid: "touch-answer" });
  private before: DataFrameRow | null = null;

  constructor(link: Link, name: string) {
    this.link = link;
    this.name = name;
    this.preview = new PreviewTable(link, name);
    const mark = el("span", { class: "mcpw-figure-mark", aria: { hidden: "true" } });
    this.opener = el(
      "button",
      { class: "mcpw-figure-open", testid: "df-open", title: "Show the first rows", on: { click: () => this.open(!this.preview.isOpen) } },
      mark,
      shown(name, 120),
    );
    this.opener.type = "button";
    this.touch = button("Touch", "df-touch", () => void this.ask(), "Say that its values have changed in place, as wb.touch does");
    const change = el("span", { class: "mcpw-figure-last" }, this.change, this.when);
    const line = el("div", { class: "mcpw-figure-df-line" }, this.opener, this.shape, this.version, change, this.subscribers, this.touch);
    this.element = el("li", { class: "mcpw-figure-df", testid: "df-row" }, line, this.lost, this.said, this.preview.element);
    this.said.hidden = true;
    this.open(false);
  }

  open(open: boolean): void {
    this.preview.show(open);
    setAria(this.opener, { expanded: String(open) });
  }

  update(row: DataFrameRow): void {
    setText(this.when, row.at ? ago(Math.max(0, this.link.now() - row.at)) : "");
    if (row === this.before) return;
    if (this.before !== null && this.before.version !== row.version) this.flash();
    this.before = row;
    this.element.dataset.name = row.name;
    setText(this.shape, `${number(row.rows)} × ${number(row.columns)}`);
    this.shape.title = `${number(row.rows)} rows, ${number(row.columns)} columns${row.library ? "" : ", pandas"}`;
    if (row.library) this.shape.append(" ", el("span", { class: "mcpw-figure-badge" }, shown(row.library, 20)));
    setText(this.version, `v${row.version}`);
    this.version.title = `Version ${number(row.version)}`;
    this.drawChange(row);
    this.drawSubscribers(row.subscribers ?? []);
    this.lost.hidden = !row.lost;
    setShown(this.lost, row.lost ? `Not followed any more: ${row.lost}` : "", 500);
    this.preview.heard(row.version);
  }

  private drawChange({ kind, summary }: DataFrameRow): void {
    const [icon, word] = KINDS[kind] ?? ["•", kind];
    const mark = el("span", { class: "mcpw-figure-icon", aria: { hidden: "true" } }, icon);
    this.change.replaceChildren(mark, shown(summary || word, 160));
    this.change.title = word;
  }

  private drawSubscribers(sessions: readonly string[]): void {
    const badges = sessions.map((session) => {
      const told = button(
        badge(session),
        "subscriber",
        () => this.link.go("sessions", { session }),
        "Is told of changes; show this session",
      );
      told.className = "";
      return told;
    });
    this.subscribers.replaceChildren(...badges);
    setAria(this.subscribers, { label: `${sessions.length} ${sessions.length === 1 ? "session is" : "sessions are"} told of changes` });
    this.subscribers.setAttribute("role", "group");
  }

  /** Two classes with the same animation: changing from one to the other starts it again. */
  private flash(): void {
    const again = this.element.classList.contains("mcpw-figure-flash-a");
    this.element.classList.toggle("mcpw-figure-flash-a", !again);
    this.element.classList.toggle("mcpw-figure-flash-b", again);
  }

  private async ask(): Promise<void> {
    if (isBusy(this.touch)) return;
    setBusy(this.touch, true);
    this.said.hidden = false;
    setText(this.said, this.link.waitsForCells ? "Asked; answered when no cell is busy …" : "Asked …");
    try {
      setShown(this.said, doneSentence(await this.link.ask({ type: "touch", name: this.name })), 500);
    } catch (reason) {
      setShown(this.said, sentenceOf(reason), 500);
    } finally {
      setBusy(this.touch, false);
    }
  }
}

export const dataframes: PanelKind = {
  id: "dataframes",
  title: "DataFrames",
  watches: ["dataframes"],
  create: (link) => new DataFramesPanel(link),
};
