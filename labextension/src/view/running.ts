/**
 * What runs or waits, above the list of what has ended: how far it is, what it waits for, since when, and a button that stops it. Rows
 * stay the same elements while they are told anew, so that a question being answered is not lost.
 */
import { badge } from "./badge";
import { button, el, fill, setText, shown } from "./dom";
import { counted, elapsed } from "./format";
import type { Kernel, OpenCall, OpenCalls } from "./messages";
import type { Link } from "./panel";
import { waitsNow } from "./waits";

const TICK_MS = 1_000;
/** How long a question is open, and what was answered can be read. */
const ASKED_MS = 4_000;
const SAID_MS = 12_000;

export class Running {
  readonly element: HTMLElement;
  private readonly list = el("div", { class: "mcpw-running-list", role: "list", aria: { label: "Running calls" }, testid: "running" });
  private readonly more = el("div", { class: "mcpw-faint" });
  private readonly said = el("div", { class: "mcpw-said", role: "status", testid: "stop-answer" });
  private readonly rows = new Map<string, RunningRow>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private saying: ReturnType<typeof setTimeout> | undefined;
  private visible = false;
  private live = true;
  private kernel: Kernel | undefined;

  constructor(private readonly link: Link) {
    this.element = el("div", { class: "mcpw-running" }, this.list, this.more, this.said);
  }

  take(message: OpenCalls): void {
    const calls = message.rows ?? [];
    const keys = new Set(calls.map((call) => call.key));
    for (const [key, row] of this.rows) if (!keys.has(key)) this.remove(key, row);
    for (const call of calls) this.put(call);
    setText(this.more, message.more ? `and ${counted(message.more, "further call")} running or waiting` : "");
    this.tick();
  }

  takeKernel(message: Kernel): void {
    this.kernel = message;
    this.tick();
  }

  /** What ran when the kernel was heard last can be stopped no more. */
  heard(live: boolean): void {
    this.live = live;
    for (const row of this.rows.values()) row.heard(live);
  }

  shown(visible: boolean): void {
    this.visible = visible;
    clearInterval(this.timer);
    if (visible) this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  reset(): void {
    for (const [key, row] of this.rows) this.remove(key, row);
    setText(this.more, "");
    this.kernel = undefined;
  }

  dispose(): void {
    this.reset();
    clearInterval(this.timer);
    clearTimeout(this.saying);
  }

  private put(call: OpenCall): void {
    const known = this.rows.get(call.key);
    if (known) return known.update(call);
    const row = new RunningRow(call, () => this.stop(call));
    row.heard(this.live);
    this.rows.set(call.key, row);
    this.list.append(row.element);
  }

  private remove(key: string, row: RunningRow): void {
    row.dispose();
    this.rows.delete(key);
  }

  private async stop(call: OpenCall): Promise<void> {
    const name = call.target || call.method;
    let sentence: string;
    try {
      const answer = await this.link.ask({ type: "stop", key: call.key });
      sentence = answer.type === "done" ? answer.sentence : "stopped";
    } catch (error) {
      sentence = error instanceof Error ? error.message : String(error);
    }
    this.rows.get(call.key)?.answered();
    fill(this.said, shown(`${name}: ${sentence}`, 400));
    clearTimeout(this.saying);
    this.saying = setTimeout(() => fill(this.said), SAID_MS);
  }

  private tick(): void {
    if (!this.visible) return;
    const now = this.link.now();
    for (const row of this.rows.values()) row.tick(now, this.kernel);
  }
}

class RunningRow {
  readonly element: HTMLElement;
  private readonly bar = el("div", { class: "mcpw-progress-bar" });
  private readonly progress = el("div", { class: "mcpw-progress", role: "progressbar" }, this.bar);
  private readonly standing = el("span", { class: "mcpw-standing mcpw-ellipsis" });
  private readonly time = el("span", { class: "mcpw-time" });
  private readonly stop: HTMLButtonElement;
  private said = "";
  private share: number | undefined;
  private asked: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private call: OpenCall,
    private readonly stopNow: () => void,
  ) {
    const name = call.target || call.method;
    this.stop = button("Stop", () => this.pressed(), { class: "mcpw-button", testid: "stop", aria: { label: `Stop ${name}` } });
    const target = el("span", { class: "mcpw-mono mcpw-ellipsis mcpw-running-target", title: name }, shown(name, 200));
    const head = el("div", { class: "mcpw-running-head" }, badge(call.session, call.client), target, this.time, this.stop);
    this.element = el("div", { class: "mcpw-running-row", role: "listitem", testid: "running-row" }, head, this.standing, this.progress);
    this.update(call);
  }

  update(call: OpenCall): void {
    this.call = call;
    const { progress = 0, total = 0, waits = "" } = call;
    const share = total > 0 ? Math.min(Math.max(progress / total, 0), 1) : undefined;
    this.share = share;
    this.element.classList.toggle("mcpw-waiting", waits !== "");
    this.progress.hidden = share === undefined;
    this.bar.style.width = `${(share ?? 0) * 100}%`;
    this.progress.setAttribute("aria-valuenow", String(Math.round((share ?? 0) * 100)));
  }

  tick(now: number, kernel: Kernel | undefined): void {
    setText(this.time, elapsed(now - this.call.at));
    const { message = "", job = "" } = this.call;
    const { share } = this;
    const waits = waitsNow(this.call.waits ?? "", kernel, now);
    const parts = [job && `job ${job}`, waits && waitText(waits), share !== undefined ? `${(share * 100).toFixed(0)} %` : "", message];
    const said = parts.filter(Boolean).join(", ") || "runs";
    if (said !== this.said) fill(this.standing, shown(said, 300));
    if (said !== this.said) this.standing.title = this.standing.textContent ?? "";
    this.said = said;
  }

  heard(live: boolean): void {
    this.stop.hidden = !live;
  }

  /** Asked once, then it is meant. */
  private pressed(): void {
    clearTimeout(this.asked);
    if (this.stop.dataset.asked) {
      this.stop.disabled = true;
      this.stop.textContent = "stopping…";
      return this.stopNow();
    }
    this.stop.dataset.asked = "yes";
    this.stop.textContent = "Stop?";
    this.asked = setTimeout(() => this.answered(), ASKED_MS);
  }

  answered(): void {
    delete this.stop.dataset.asked;
    this.stop.disabled = false;
    this.stop.textContent = "Stop";
  }

  dispose(): void {
    clearTimeout(this.asked);
    this.element.remove();
  }
}

function waitText(waits: string): string {
  return waits.startsWith("behind ") ? `waits ${waits}` : `waits for ${waits}`;
}
