/** All that is known of one call, beside the list: what was asked, what was answered, where the time went, what its code said. */
import { badge } from "./badge";
import { renderNotes, renderResend } from "./callsteps";
import { button, el, shown } from "./dom";
import { bytes, counted, date, duration, outcomeClass, outcomeWord } from "./format";
import { longText, member, parse, text, tree } from "./json";
import type { CallRow, Detail, Text } from "./messages";
import type { Link } from "./panel";
import { renderAnswer } from "./result";

/** What is known of a call before the kernel was asked. */
export type Titled = Pick<CallRow, "target" | "method" | "outcome">;

/** What its buttons do. */
export interface DetailEvents {
  close(): void;
  /** A note was written beside it; empty: all were taken away. */
  noted(text: string): void;
  /** It was made again, as this call. */
  resent(seq: number): void;
  /** The call that is opened next is compared with this one; false: it is not. */
  compare(begins: boolean): void;
  /** Whether a call was chosen to compare with. */
  comparing: boolean;
}

/** Draws what `GetDetail` gave. */
export function renderDetail(detail: Detail, link: Link, events: DetailEvents): HTMLElement {
  const { row } = detail;
  const request = detail.request ? parse(detail.request.text) : undefined;
  const asked = section("Arguments", "call-arguments", renderArguments(detail.request, request));
  const result = section("Result", "call-result", renderResult(detail.answer));
  const traceback = optional("Traceback", detail.traceback, () => longText(detail.traceback ?? "", 20_000, "call-traceback"));
  const saidBelow = Boolean(row.error && detail.answer && result.textContent?.includes(row.error));
  return el(
    "div",
    { class: "mcpw-detail", testid: "call-detail" },
    renderHead(row, () => events.close()),
    el(
      "div",
      { class: "mcpw-detail-body", tabindex: 0, role: "region", aria: { label: "Details of the call" } },
      renderFacts(detail, link),
      renderPhases(row, detail.queuedBehind ?? ""),
      ...(row.error && !saidBelow ? [el("div", { class: "mcpw-sentence", testid: "call-error" }, shown(row.error, 2_000))] : []),
      renderActions(detail, link, events),
      renderNotes(detail, link, (text) => events.noted(text)),
      // Of what failed people look first at why.
      ...(outcomeClass(row.outcome) === "bad" ? [result, ...traceback, asked] : [asked, result]),
      ...optional("What it did", detail.notes?.length, () =>
        el("ul", {}, ...(detail.notes ?? []).map((one) => el("li", {}, shown(one, 500)))),
      ),
      ...optional("Output", detail.output, () => longText(detail.output ?? "", 8_000, "call-output")),
      ...(outcomeClass(row.outcome) === "bad" ? [] : traceback),
      ...optional("Meanwhile", detail.meanwhile?.length, () => renderMeanwhile(detail.meanwhile ?? [])),
      ...(detail.resend ? [renderResend(detail, link, (seq) => events.resent(seq))] : []),
      folded("Request as it came", detail.request, "call-request"),
      folded("Answer as it was sent", detail.answer, "call-answer"),
    ),
  );
}

/** The same place while there is nothing, or only a sentence, to show. */
export function renderWaiting(row: Titled, sentence: string, close: () => void): HTMLElement {
  const body = el("div", { class: "mcpw-detail-body" }, el("div", { class: "mcpw-faint", role: "status" }, shown(sentence, 500)));
  return el("div", { class: "mcpw-detail", testid: "call-detail" }, renderHead(row, close), body);
}

/** An outcome as a word with its colour. */
export function outcomeMark(outcome: string): HTMLElement {
  const word = outcomeWord(outcome);
  return shown(word, 20, { class: `mcpw-outcome mcpw-${outcomeClass(outcome)}` });
}

function renderHead(row: Titled, close: () => void): HTMLElement {
  return el(
    "div",
    { class: "mcpw-detail-head" },
    outcomeMark(row.outcome),
    el("b", { class: "mcpw-mono mcpw-ellipsis", title: row.target }, shown(row.target || row.method, 200)),
    el("span", { class: "mcpw-space" }),
    button("×", close, { class: "mcpw-icon", title: "Close (Esc)", aria: { label: "Close" }, testid: "call-close" }),
  );
}

function renderFacts(detail: Detail, link: Link): HTMLElement {
  const { row } = detail;
  const client = el("span", {}, badge(row.session, row.client), " ", shown(row.client || "unnamed client", 80));
  const session = button(row.session, () => link.go("calls", { session: row.session }), {
    class: "mcpw-link",
    title: "Only the calls of this session",
  });
  const facts: [string, Node | string][] = [
    ["when", date(row.at)],
    ["client", client],
    ["session", session],
    ["as", shown(row.principal, 80)],
    ["method", shown(row.method, 200)],
    ["call", shown([row.callId, row.job && `job ${row.job}`, `#${row.seq}`].filter(Boolean).join(", "), 200)],
    ["bytes", `${bytes(row.bytesIn ?? 0)} in, ${bytes(row.bytesOut ?? 0)} out`],
  ];
  if (row.code) facts.push(["code", String(row.code)]);
  if (detail.definedAt) facts.push(["defined", shown(detail.definedAt, 300)]);
  if (detail.toolVersion) facts.push(["version", shown(detail.toolVersion, 80)]);
  return el("dl", { class: "mcpw-facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function renderPhases(row: CallRow, behind: string): HTMLElement {
  const phases = [
    ["wait", row.waitUs],
    ["run", row.runUs],
    ["send", row.sendUs],
  ] as const;
  const bar = el("div", { class: "mcpw-phases", role: "img", aria: { label: `took ${duration(row.totalUs)}` } });
  for (const [name, us] of phases) {
    const piece = el("span", { class: `mcpw-phase-${name}` });
    piece.style.flexGrow = String(Math.max(us ?? 0, 0));
    bar.append(piece);
  }
  // Of a call that failed it is not known how long its code ran: that part has no colour.
  const rest = el("span", {});
  rest.style.flexGrow = String(Math.max((row.totalUs ?? 0) - phases.reduce((sum, [, us]) => sum + (us ?? 0), 0), 0));
  bar.append(rest);
  const numbers = phases.map(([name, us]) => el("span", {}, el("i", { class: `mcpw-phase-${name}` }), `${name} ${duration(us)}`));
  const legend = el("div", { class: "mcpw-legend" }, ...numbers, el("b", {}, `total ${duration(row.totalUs)}`));
  const queue = behind ? [el("div", { class: "mcpw-faint" }, "it waited behind ", shown(behind, 300))] : [];
  return el("div", { testid: "call-phases" }, bar, legend, ...queue);
}

function renderActions(detail: Detail, link: Link, events: DetailEvents): HTMLElement {
  const actions: HTMLElement[] = [];
  if (detail.asCell) actions.push(copyButton("Copy as cell", detail.asCell, link, "call-copy-cell"));
  const raw = [detail.request?.text, detail.answer?.text].filter((one) => one !== undefined);
  if (raw.length) actions.push(copyButton("Copy JSON", raw.join("\n"), link, "call-copy-json"));
  const { requestSeq } = detail;
  if (requestSeq)
    actions.push(
      button("Messages", () => link.go("messages", { message: String(requestSeq) }), { class: "mcpw-button", testid: "call-messages" }),
    );
  actions.push(compareButton(events));
  return el("div", { class: "mcpw-actions" }, ...actions);
}

function compareButton(events: DetailEvents): HTMLButtonElement {
  let begins = events.comparing;
  const compare = button("Compare", () => {
    begins = !begins;
    events.compare(begins);
    draw();
  });
  const draw = () => {
    compare.textContent = begins ? "Now choose the other call" : "Compare";
    compare.setAttribute("aria-pressed", String(begins));
  };
  compare.className = "mcpw-button";
  compare.dataset.testid = "call-compare";
  draw();
  return compare;
}

/** A button that copies, and says that it has. */
export function copyButton(title: string, copied: string, link: Link, testid: string): HTMLButtonElement {
  const copy = button(title, () => void go(), { class: "mcpw-button", testid });
  async function go(): Promise<void> {
    const worked = await link.copy(copied);
    copy.textContent = worked ? "Copied" : "Not copied: select the text and copy it";
    setTimeout(() => {
      copy.textContent = title;
    }, 1_500);
  }
  return copy;
}

function renderArguments(request: Text | null | undefined, message: unknown): HTMLElement {
  if (!request) return faint("the request is kept no longer");
  if (message === undefined) return el("div", {}, cutNote(request), longText(request.text));
  const params = member(message, "params");
  const given = member(params, "arguments") ?? withoutMeta(params);
  return given === undefined ? faint("none") : tree(given, 2);
}

function withoutMeta(params: unknown): unknown {
  if (params === undefined || params === null) return undefined;
  const kept = Object.entries(params).filter(([name]) => name !== "_meta");
  return kept.length ? Object.fromEntries(kept) : undefined;
}

function renderResult(answer: Text | null | undefined): HTMLElement {
  if (!answer) return faint("there is no answer, or it is kept no longer");
  const message = parse(answer.text);
  return message === undefined ? el("div", {}, cutNote(answer), longText(answer.text)) : renderAnswer(message);
}

/** Notifications, and what the client was asked and replied. */
function renderMeanwhile(said: readonly Text[]): HTMLElement {
  const asked = new Map<string, string>();
  const rows = said.map((one) => {
    const message = parse(one.text);
    if (message === undefined) return longText(one.text, 1_000);
    const [id, method] = [JSON.stringify(member(message, "id")), text(message, "method")];
    if (method && id) asked.set(id, method);
    const title = method || `reply to ${asked.get(id) ?? `id ${id}`}`;
    const carried = member(message, "params") ?? member(message, "result") ?? member(message, "error");
    return el("div", { class: "mcpw-part" }, el("div", { class: "mcpw-part-title" }, shown(title, 200)), tree(carried, 1));
  });
  return el("div", {}, ...rows);
}

function folded(title: string, raw: Text | null | undefined, testid: string): HTMLElement {
  const summary = el("summary", {}, title, " ", el("span", { class: "mcpw-faint" }, raw ? bytes(raw.size) : "kept no longer"));
  const details = el("details", { class: "mcpw-section", testid }, summary);
  details.addEventListener("toggle", () => {
    if (raw && details.childElementCount === 1) details.append(cutNote(raw), longText(raw.text, 20_000));
  });
  return details;
}

/** Says so where only the beginning of a text is kept. */
function cutNote(raw: Text): HTMLElement {
  const kept = new TextEncoder().encode(raw.text).length;
  return kept < raw.size ? faint(`the first ${counted(kept, "byte")} of ${counted(raw.size, "byte")} are kept`) : el("span");
}

function section(title: string, testid: string, body: HTMLElement): HTMLElement {
  return el("section", { class: "mcpw-section", testid }, el("h4", {}, title), body);
}

function optional(title: string, there: unknown, body: () => HTMLElement): HTMLElement[] {
  return there ? [section(title, `call-${title.toLowerCase().replaceAll(" ", "-")}-section`, body())] : [];
}

function faint(sentence: string): HTMLElement {
  return el("div", { class: "mcpw-faint" }, sentence);
}
