/** What the kernel does: the cell that runs, the call that has the main thread, jobs that go on, and how full the queues are. */

import { el, shown } from "../dom";
import { number } from "../format";
import type { JobRow, Kernel, OpenCall, ToView } from "../messages";
import type { Link, Panel, PanelKind } from "../panel";
import { waitsNow } from "../waits";
import { JobList } from "./jobs";
import { Confirmed, doneSentence, elapsed, type Row, Rows, setShown, setText, Ticker } from "./parts";
import { QueueList } from "./queues";

class KernelPanel implements Panel {
  readonly element: HTMLElement;
  private readonly now: NowLines;
  private readonly waiting: WaitingCalls;
  private readonly jobs: JobList;
  private readonly queues = new QueueList();
  private readonly queueSection: HTMLElement;
  private readonly known = new Map<string, JobRow>();
  private readonly ticker: Ticker;
  private kernel: Kernel | null = null;
  private calls: readonly OpenCall[] = [];
  private visible = false;

  constructor(private readonly link: Link) {
    this.now = new NowLines(link);
    this.waiting = new WaitingCalls(link);
    this.jobs = new JobList(link);
    this.ticker = new Ticker(() => this.draw());
    this.queueSection = el("section", {}, el("h3", {}, "Queues"), this.queues.element);
    this.element = el(
      "div",
      { class: "mcpw-kernel", testid: "panel-kernel" },
      el("section", {}, el("h3", {}, "Kernel"), this.now.element, this.waiting.element),
      el("section", {}, el("h3", {}, "Jobs"), this.jobs.element),
      this.queueSection,
    );
    this.draw();
  }

  take(message: ToView): void {
    if (message.type === "kernel") this.kernel = message;
    else if (message.type === "openCalls") this.calls = message.rows ?? [];
    else if (message.type === "jobs") {
      for (const id of message.gone ?? []) this.known.delete(id);
      for (const job of message.rows ?? []) this.known.set(job.id, job);
    } else return;
    if (this.visible) this.draw();
  }

  shown(visible: boolean): void {
    this.visible = visible;
    this.ticker.run(visible);
    if (visible) this.draw();
  }

  reset(): void {
    this.kernel = null;
    this.calls = [];
    this.known.clear();
    this.draw();
  }

  dispose(): void {
    this.ticker.run(false);
    this.element.remove();
  }

  private draw(): void {
    this.now.draw(this.kernel, this.calls);
    this.waiting.draw(this.calls, this.kernel);
    const now = this.link.now();
    this.jobs.draw([...this.known.values()].map((job) => withWaits(job, this.kernel, now)));
    this.queueSection.hidden = !this.kernel?.queues?.length;
    this.queues.draw(this.kernel?.queues ?? []);
  }
}

/** The same row, unless its reason has aged. */
function withWaits(job: JobRow, kernel: Kernel | null, now: number): JobRow {
  const waits = waitsNow(job.waits ?? "", kernel ?? undefined, now);
  return waits === (job.waits ?? "") ? job : { ...job, waits };
}

/** `cell [12], running 8 s`, or `idle`. */
export function cellText(kernel: Kernel | null, now: number): string {
  if (kernel === null) return "Waiting for what the kernel does …";
  if (!kernel.cell) return kernel.mainCall ? "no cell runs" : "idle";
  return `cell ${kernel.cell}, running ${elapsed(now - (kernel.cellSince || now))}`;
}

/** Who has the main thread, and how many wait for it. */
export function mainText(kernel: Kernel | null, now: number): string {
  const parts: string[] = [];
  if (kernel?.mainCall) {
    const id = kernel.mainCallId ? ` (${kernel.mainCallId})` : "";
    const name = shown(kernel.mainCall, 60).textContent ?? "";
    parts.push(`${name}${id} has the main thread for ${elapsed(now - (kernel.mainSince || now))}; cells wait`);
  }
  const waiting = kernel?.mainWaiting ?? 0;
  if (waiting > 0) parts.push(`${number(waiting)} ${waiting === 1 ? "call waits" : "calls wait"} for the main thread`);
  return parts.join(". ");
}

class NowLines {
  readonly element: HTMLElement;
  private readonly link: Link;
  private readonly dot = el("span", { class: "mcpw-figure-dot", aria: { hidden: "true" } });
  private readonly cell = el("span", { testid: "kernel-cell" });
  private readonly main = el("span", { testid: "kernel-main" });
  private readonly line = el("div", { class: "mcpw-figure-main" }, this.main);
  private readonly said = el("div");
  private stop: Confirmed | null = null;
  private stopKey = "";

  constructor(link: Link) {
    this.link = link;
    this.element = el("div", {}, el("p", { class: "mcpw-figure-cell" }, this.dot, this.cell), this.line, this.said);
  }

  draw(kernel: Kernel | null, calls: readonly OpenCall[]): void {
    const now = this.link.now();
    setShown(this.cell, cellText(kernel, now), 200);
    this.cell.classList.toggle("mcpw-until-told", kernel === null);
    this.dot.classList.toggle("mcpw-figure-busy", !!kernel?.cell || !!kernel?.mainCall);
    const main = mainText(kernel, now);
    setShown(this.main, main, 300);
    this.line.hidden = main === "";
    this.offerStop(kernel?.mainCallId ? calls.find(({ callId }) => callId === kernel.mainCallId) : undefined);
  }

  /** For the call that has the main thread: another call is another button. */
  private offerStop(call: OpenCall | undefined): void {
    const key = call?.key ?? "";
    if (key !== this.stopKey && call !== undefined) {
      this.stop = new Confirmed("Stop", `Stop ${shown(call.target, 40).textContent ?? ""}?`, "main-stop", async () =>
        doneSentence(await this.link.ask({ type: "stop", key })),
      );
      this.line.replaceChildren(this.main, this.stop.place);
      this.said.replaceChildren(this.stop.said);
    }
    this.stopKey = key || this.stopKey;
    this.stop?.offer(call !== undefined);
  }
}

/** The calls that run or wait, each with what it waits for; jobs are listed below, who has the main thread above. */
class WaitingCalls {
  readonly element = el("ul", { class: "mcpw-figure-list mcpw-figure-waiting" });
  private readonly rows: Rows<OpenCall>;
  private kernel: Kernel | null = null;

  constructor(link: Link) {
    this.rows = new Rows(
      this.element,
      ({ key }) => key,
      (call) => waitingRow(link, call, () => this.kernel),
    );
  }

  draw(calls: readonly OpenCall[], kernel: Kernel | null): void {
    this.kernel = kernel;
    const waiting = calls.filter(({ job, callId }) => !job && (!callId || callId !== kernel?.mainCallId));
    this.rows.set(waiting);
    this.element.hidden = waiting.length === 0;
  }
}

function waitingRow(link: Link, { target, client, principal }: OpenCall, kernel: () => Kernel | null): Row<OpenCall> {
  const waits = el("span", { class: "mcpw-figure-message" });
  const time = el("span", { class: "mcpw-figure-when" });
  const who = el("span", { class: "mcpw-figure-who" }, shown(client || principal, 60));
  const element = el(
    "li",
    { class: "mcpw-figure-job-line", testid: "waiting-row" },
    el("b", { class: "mcpw-figure-tool" }, shown(target, 120)),
    who,
    waits,
    time,
  );
  const update = (call: OpenCall) => {
    setShown(waits, call.waits ? `waits: ${waitsNow(call.waits, kernel() ?? undefined, link.now())}` : "runs", 200);
    setText(time, elapsed(link.now() - call.at));
  };
  return { element, update };
}

export const kernel: PanelKind = {
  id: "kernel",
  title: "Jobs & kernel",
  watches: ["kernel", "running"],
  create: (link) => new KernelPanel(link),
};
