/** What can be done with a call that has ended: write something beside it, make it again. Each says in its place what came of it. */
import { button, el, fill, shown } from "./dom";
import type { Detail } from "./messages";
import type { Answer, Link } from "./panel";
import { Confirmed, isBusy, sentenceOf, setBusy } from "./panels/parts";

/** Notes beside a call, and a field for one more. Args: `noted` is told the latest, or empty when they were taken away. */
export function renderNotes({ row, annotations = [] }: Detail, link: Link, noted: (text: string) => void): HTMLElement {
  const list = el("ul", { class: "mcpw-notes", testid: "call-notes" });
  const field = el("input", {
    class: "mcpw-input",
    aria: { label: "Note beside this call" },
    placeholder: "Note beside this call",
    testid: "call-note",
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") event.stopPropagation();
    if (event.key === "Enter") void write(field.value.trim());
  });
  const said = el("span", { class: "mcpw-faint", role: "status", testid: "call-note-answer" });
  const away = button("Take away", () => void write(""), { class: "mcpw-link", testid: "call-note-away" });
  let notes: readonly string[] = annotations;
  const draw = () => {
    fill(list, ...notes.map((note) => el("li", {}, shown(note, 10_000, { lines: true }))));
    list.hidden = away.hidden = !notes.length;
  };
  async function write(text: string): Promise<void> {
    const adds = text !== "";
    try {
      const answer = await link.ask({ type: "annotate", seq: row.seq, text });
      fill(said, shown(answer.type === "done" ? answer.sentence : "", 500));
      if (answer.type !== "done" || !answer.ok) return;
      notes = adds ? [...notes, text] : [];
      field.value = "";
      noted(text);
      draw();
    } catch (reason) {
      fill(said, shown(sentenceOf(reason), 500));
    }
  }
  const save = button("Note", () => field.value.trim() && void write(field.value.trim()), {
    class: "mcpw-button",
    testid: "call-note-save",
  });
  draw();
  return el("div", { class: "mcpw-step" }, list, el("div", { class: "mcpw-step-line" }, field, save, away), said);
}

/** A form by which a call is made again. Args: `made` is told the `seq` of the new call. */
export function renderResend({ row, resend = "", arguments: given = "{}" }: Detail, link: Link, made: (seq: number) => void): HTMLElement {
  const area = el("textarea", {
    class: "mcpw-input mcpw-mono mcpw-resend-area",
    aria: { label: "Arguments, as JSON" },
    testid: "call-resend-arguments",
  });
  area.value = given;
  area.rows = Math.min(12, given.split("\n").length + 1);
  area.spellcheck = false;
  area.addEventListener("keydown", (event) => event.key !== "Escape" && event.stopPropagation()); // Notebooks have keys of their own.
  const said = el("div", { class: "mcpw-faint", role: "status", testid: "call-resend-answer" });
  const asks = resend === "asks";
  async function send(): Promise<string> {
    const answer = await link.ask({ type: "resend", seq: row.seq, arguments: area.value, ...(asks ? { sure: true } : {}) });
    if (answer.type === "resent") made(answer.seq);
    return sentence(answer);
  }
  const what = el("p", { class: "mcpw-faint" }, "It goes over the wire, as the notebook, and is a call of its own.");
  if (asks) {
    const confirmed = new Confirmed("Send", "This tool says that it destroys something. Send it?", "call-resend-send", send);
    confirmed.heard = () => seen(confirmed.said);
    return folded(what, area, confirmed.place, confirmed.said);
  }
  const go = button("Send", () => void once(go, said, send), { class: "mcpw-button", testid: "call-resend-send" });
  return folded(what, area, el("div", { class: "mcpw-step-line" }, go), said);
}

async function once(go: HTMLButtonElement, said: HTMLElement, send: () => Promise<string>): Promise<void> {
  if (isBusy(go)) return;
  setBusy(go, true);
  fill(said, "Sent …");
  try {
    fill(said, shown(await send(), 1_000));
  } catch (reason) {
    fill(said, shown(sentenceOf(reason), 1_000));
  } finally {
    setBusy(go, false);
    seen(said);
  }
}

/** The form stands at the end of what may be long: what came of it is brought into view. */
function seen(said: HTMLElement): void {
  said.scrollIntoView({ block: "nearest" });
}

function sentence(answer: Answer): string {
  return answer.type === "done" || answer.type === "resent" ? answer.sentence : "the kernel answered something else";
}

function folded(...children: Node[]): HTMLElement {
  return el("details", { class: "mcpw-section", testid: "call-resend" }, el("summary", {}, "Send again …"), ...children);
}
