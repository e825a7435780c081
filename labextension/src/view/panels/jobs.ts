/** The list of jobs: calls that were answered early and go on. What runs stands first, oldest first; then what ended last. */

import { el, shown } from "../dom";
import { bytes, duration, number } from "../format";
import type { JobRow } from "../messages";
import type { Link } from "../panel";
import { Confirmed, doneSentence, elapsed, type Row, Rows, setAria, setShown, setText } from "./parts";

/** A word for each state, and an icon so that it is told apart without colours. */
const ICONS: Readonly<Record<string, string>> = { waiting: "◔", running: "▶", done: "✓", failed: "✗", cancelled: "■", "timed out": "⏱" };

export function isOpen({ state }: JobRow): boolean {
  return state === "waiting" || state === "running";
}

export function inOrder(jobs: Iterable<JobRow>): JobRow[] {
  const all = [...jobs];
  const open = all.filter(isOpen).sort((a, b) => a.at - b.at);
  const ended = all.filter((job) => !isOpen(job)).sort((a, b) => b.at + (b.seconds ?? 0) - (a.at + (a.seconds ?? 0)));
  return [...open, ...ended];
}

export class JobList {
  readonly element: HTMLElement;
  private readonly list = el("ul", { class: "mcpw-figure-list" });
  private readonly empty = el(
    "p",
    { class: "mcpw-figure-empty", testid: "jobs-empty" },
    "No jobs. A call that takes long is answered early and goes on here.",
  );
  private readonly rows: Rows<JobRow>;

  constructor(link: Link) {
    this.rows = new Rows(
      this.list,
      ({ id }) => id,
      (job) => new JobEntry(link, job),
    );
    this.element = el("div", {}, this.empty, this.list);
  }

  draw(jobs: Iterable<JobRow>): void {
    const ordered = inOrder(jobs);
    this.empty.hidden = ordered.length > 0;
    this.rows.set(ordered);
  }
}

class JobEntry implements Row<JobRow> {
  readonly element: HTMLElement;
  private readonly link: Link;
  private readonly state = el("span", { class: "mcpw-figure-state" });
  private readonly time = el("span", { class: "mcpw-figure-when" });
  private readonly more = el("p", { class: "mcpw-figure-job-more" });
  private readonly message = el("span", { class: "mcpw-figure-message" });
  private readonly progress = new ProgressBar();
  private readonly stop: Confirmed;
  private before: JobRow | null = null;

  constructor(link: Link, { id, tool, client, principal, key }: JobRow) {
    this.link = link;
    this.stop = new Confirmed("Stop", `Stop job ${shown(id, 20).textContent ?? ""}?`, "job-stop", async () =>
      doneSentence(await link.ask({ type: "stop", key })),
    );
    const name = el("b", { class: "mcpw-figure-tool" }, shown(tool, 120));
    const who = el("span", { class: "mcpw-figure-who" }, shown(client || principal || "unknown", 60));
    if (client && principal) who.title = `${shown(client, 60).textContent ?? ""} as ${shown(principal, 60).textContent ?? ""}`;
    const title = el(
      "div",
      { class: "mcpw-figure-job-line" },
      el("span", { class: "mcpw-figure-badge" }, shown(id, 20)),
      name,
      who,
      this.state,
      this.time,
      this.stop.place,
    );
    this.more.append(this.message);
    this.element = el("li", { class: "mcpw-figure-job", testid: "job-row" }, title, this.progress.element, this.more, this.stop.said);
    this.element.dataset.job = id;
  }

  update(job: JobRow): void {
    setText(this.time, this.timeOf(job));
    if (job === this.before) return;
    this.before = job;
    const mark = el("span", { class: "mcpw-figure-icon", aria: { hidden: "true" } }, ICONS[job.state] ?? "•");
    this.state.replaceChildren(mark, shown(job.state, 40));
    this.state.dataset.state = job.state;
    this.element.classList.toggle("mcpw-figure-ended", !isOpen(job));
    this.progress.draw(job);
    setShown(this.message, wordsOf(job), 400);
    this.more.hidden = this.message.textContent === "";
    this.stop.offer(isOpen(job));
  }

  private timeOf(job: JobRow): string {
    if (isOpen(job)) return elapsed(this.link.now() - job.at);
    return `took ${duration((job.seconds ?? 0) * 1e6)}`;
  }
}

/** What it said, waits for and gave. */
function wordsOf(job: JobRow): string {
  const parts = [job.message ?? ""];
  if (isOpen(job) && job.waits) parts.push(`waits: ${job.waits}`);
  if (!isOpen(job) && job.resultBytes) parts.push(`result of ${bytes(job.resultBytes)}, ${job.fetched ? "fetched" : "not fetched yet"}`);
  return parts.filter((part) => part !== "").join(" · ");
}

/** Unknown totals show that something goes on, not how far it is. */
class ProgressBar {
  readonly element: HTMLElement;
  private readonly bar = el("div", { class: "mcpw-figure-progress", role: "progressbar", testid: "job-progress" });
  private readonly filled = el("span", { class: "mcpw-figure-progress-filled" });
  private readonly text = el("span", { class: "mcpw-figure-progress-text" });

  constructor() {
    this.bar.append(this.filled);
    this.element = el("div", { class: "mcpw-figure-progress-line" }, this.bar, this.text);
  }

  draw(job: JobRow): void {
    const { progress = 0, total = 0 } = job;
    const known = total > 0;
    // What waits does not move.
    this.element.hidden = !isOpen(job) || (job.state === "waiting" && !known);
    const percent = known ? Math.min(100, Math.max(0, (100 * progress) / total)) : 0;
    const text = known ? `${Math.round(percent)} %` : progress > 0 ? number(progress) : "";
    this.bar.classList.toggle("mcpw-figure-indeterminate", !known);
    this.filled.style.width = known ? `${percent}%` : "";
    setText(this.text, text);
    this.text.title = known ? `${number(progress)} of ${number(total)}` : "";
    setAria(this.bar, {
      label: `Progress of ${shown(job.id, 20).textContent ?? ""}`,
      valuemin: known ? "0" : null,
      valuemax: known ? "100" : null,
      valuenow: known ? String(Math.round(percent)) : null,
      valuetext: known ? text : `${text} of unknown`.trim(),
    });
  }
}
