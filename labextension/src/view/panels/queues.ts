/** Readings of queues and counters, each against its bound. What reads zero is folded away, but can be seen. */

import { el, shown } from "../dom";
import { bytes, number } from "../format";
import type { Queue } from "../messages";
import { type Row, Rows, setAria, setShown, setText } from "./parts";

/** From which share of its bound on a queue is marked. */
const NEAR = 0.8;

export class QueueList {
  readonly element: HTMLElement;
  private readonly busy: Rows<Queue>;
  private readonly quiet: Rows<Queue>;
  private readonly fold = el("details", { class: "mcpw-figure-fold", testid: "all-queues" });
  private readonly summary = el("summary");
  private readonly none = el("p", { class: "mcpw-figure-empty" }, "Nothing is queued.");

  constructor() {
    const [busy, quiet] = [el("ul", { class: "mcpw-figure-list" }), el("ul", { class: "mcpw-figure-list" })];
    this.busy = new Rows(
      busy,
      ({ name }) => name,
      ({ name }) => new QueueEntry(name),
    );
    this.quiet = new Rows(
      quiet,
      ({ name }) => name,
      ({ name }) => new QueueEntry(name),
    );
    this.fold.append(this.summary, quiet);
    this.element = el("div", {}, this.none, busy, this.fold);
  }

  draw(queues: readonly Queue[]): void {
    const quiet = queues.filter(({ value }) => value === 0);
    this.busy.set(queues.filter(({ value }) => value !== 0));
    this.quiet.set(quiet);
    this.none.hidden = quiet.length < queues.length;
    this.fold.hidden = quiet.length === 0;
    setText(this.summary, `All queues (${quiet.length} more at 0)`);
  }
}

class QueueEntry implements Row<Queue> {
  readonly element: HTMLElement;
  private readonly value = el("span", { class: "mcpw-figure-queue-value" });
  private readonly meter = el("span", { class: "mcpw-figure-meter" });
  private readonly filled = el("span", { class: "mcpw-figure-meter-filled" });
  private readonly meaning = el("span", { class: "mcpw-figure-queue-meaning" });

  private readonly isBytes: boolean;

  constructor(name: string) {
    this.isBytes = name.endsWith("bytes");
    this.meter.append(this.filled);
    setAria(this.meter, { label: shown(name, 80).textContent ?? "" });
    const title = el("span", { class: "mcpw-figure-queue-name" }, shown(name, 80));
    this.element = el("li", { class: "mcpw-figure-queue", testid: "queue-row" }, title, this.meter, this.value, this.meaning);
  }

  update({ value, bound = 0, meaning = "", rolls = false }: Queue): void {
    const written = this.isBytes ? bytes : number;
    setText(this.value, bound > 0 ? `${written(value)} of ${written(bound)}` : written(value));
    setShown(this.meaning, meaning, 300);
    this.measure(value, bound, rolls);
  }

  /** Without a bound there is nothing to measure. */
  private measure(value: number, bound: number, rolls: boolean): void {
    const share = bound > 0 ? Math.min(1, value / bound) : 0;
    this.meter.style.visibility = bound > 0 ? "" : "hidden";
    this.meter.classList.toggle("mcpw-figure-near", share >= NEAR && !rolls);
    this.filled.style.width = `${share * 100}%`;
    if (bound > 0) this.meter.setAttribute("role", "meter");
    else this.meter.removeAttribute("role");
    setAria(this.meter, { valuemin: "0", valuemax: String(bound), valuenow: String(value), valuetext: this.value.textContent });
  }
}
