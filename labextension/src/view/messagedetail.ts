/** One message: what it is, what belongs to it, its text as a tree or as it crossed. What is long comes when it is asked for. */
import { badge } from "./badge";
import { button, el, fill, shown } from "./dom";
import { copyButton } from "./drawer";
import { bytes, counted, date, duration } from "./format";
import { longText, parse, tree } from "./json";
import type { MessageRow, MessageText } from "./messages";
import type { Link } from "./panel";

const OPEN_LEVELS = 3;
const RAW = 20_000;

export interface MessageEvents {
  close(): void;
  /** Another message is to be seen. */
  jump(row: MessageRow): void;
  /** Only this session. */
  follow(session: string): void;
  /** All of its text is wanted. */
  whole(): void;
}

/** Draws what `GetText` gave. Args: `related` are those that belong to it, itself among them, ascending. */
export function renderMessage(message: MessageText, related: readonly MessageRow[], link: Link, events: MessageEvents): HTMLElement {
  const { row } = message;
  const body = el(
    "div",
    { class: "mcpw-detail-body", tabindex: 0, role: "region", aria: { label: "The message" } },
    renderFacts(row, events),
    renderRelated(row, related, events),
    renderActions(message, link),
    renderText(message, events),
  );
  return el("div", { class: "mcpw-detail", testid: "message-detail" }, renderHead(row, events), body);
}

/** The same place while there is nothing, or only a sentence, to show. */
export function renderMessageWaiting(row: MessageRow, sentence: string, events: MessageEvents): HTMLElement {
  const body = el("div", { class: "mcpw-detail-body" }, el("div", { class: "mcpw-faint", role: "status" }, shown(sentence, 500)));
  return el("div", { class: "mcpw-detail", testid: "message-detail" }, renderHead(row, events), body);
}

/** Which way it went, as a sign and a word. */
export function way(row: MessageRow): HTMLElement {
  const title = row.out ? "sent: from here, or at a tap from the server" : "received: from the other end, or at a tap from the client";
  return el("span", { class: row.out ? "mcpw-way-out" : "mcpw-way-in", title }, row.out ? "← out" : "→ in");
}

const KINDS = new Map([
  ["gone", "its text had been pushed out by newer ones: Limits.messages_bytes"],
  ["long", "too long to be read for this list: open it"],
  ["malformed", "no message of JSON-RPC"],
]);

/** What it is, in a word. */
export function kindMark(row: MessageRow): HTMLElement {
  const word = row.kind || (row.gone ? "gone" : "long");
  const title = KINDS.get(word);
  return el(
    "span",
    { class: `mcpw-kind mcpw-kind-${/^[a-z]+$/.test(word) ? word : "long"}`, ...(title ? { title } : {}) },
    shown(word, 20),
  );
}

function renderHead(row: MessageRow, events: MessageEvents): HTMLElement {
  return el(
    "div",
    { class: "mcpw-detail-head" },
    way(row),
    kindMark(row),
    el("b", { class: "mcpw-mono mcpw-ellipsis", title: row.method ?? "" }, shown(nameOf(row), 200)),
    el("span", { class: "mcpw-space" }),
    button("×", () => events.close(), { class: "mcpw-icon", title: "Close (Esc)", aria: { label: "Close" }, testid: "message-close" }),
  );
}

function nameOf(row: MessageRow): string {
  return [row.method, row.target].filter(Boolean).join(" ") || (row.id ? `id ${row.id}` : `#${row.seq}`);
}

function renderFacts(row: MessageRow, events: MessageEvents): HTMLElement {
  const session = el(
    "span",
    {},
    badge(row.session, row.client),
    " ",
    shown(row.client || "unnamed client", 80),
    " ",
    button(`follow ${row.session}`, () => events.follow(row.session), { class: "mcpw-link", testid: "message-follow" }),
  );
  const facts: [string, Node | string][] = [
    ["when", date(row.at)],
    ["session", session],
    ["number", `#${row.seq}`],
    ["bytes", bytes(row.size)],
  ];
  if (row.id) facts.push(["id", shown(row.id, 100, { class: "mcpw-mono" })]);
  if (row.era) facts.push(["era", shown(row.era, 20)]);
  return el("dl", { class: "mcpw-facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function renderRelated(row: MessageRow, related: readonly MessageRow[], events: MessageEvents): HTMLElement {
  const first = related[0];
  if (!first || related.length < 2) return el("div", { class: "mcpw-faint", testid: "message-related" }, alone(row));
  const items = related.map((one) => {
    const after = one === first ? "" : ` +${duration(Math.max(0, one.at - first.at) * 1e6)}`;
    const text = el("span", {}, way(one), " ", kindMark(one), " ", shown(nameOf(one), 80, { class: "mcpw-mono" }), after);
    if (one.seq === row.seq) return el("li", { aria: { current: "true" } }, text);
    const jump = el("button", { class: "mcpw-link", type: "button", testid: "message-jump", on: { click: () => events.jump(one) } }, text);
    return el("li", {}, jump);
  });
  return el("ol", { class: "mcpw-related", testid: "message-related", aria: { label: "What belongs together" } }, ...items);
}

function alone(row: MessageRow): string {
  if (row.kind === "request") return "No answer to it is here, yet.";
  if (row.kind === "response" || row.kind === "error") return "The request that it answers is not here.";
  return "";
}

function renderActions({ row, text, call }: MessageText, link: Link): HTMLElement {
  const actions: HTMLElement[] = [];
  if (call) {
    const open = button(`Call #${call}`, () => link.go("calls", { call: String(call) }), { class: "mcpw-button", testid: "message-call" });
    actions.push(open);
  }
  if (text) actions.push(copyButton("Copy", text.text, link, "message-copy"));
  return el("div", { class: "mcpw-actions" }, ...actions, ...(row.kind === "malformed" ? [el("span", {}, "no message of JSON-RPC")] : []));
}

function renderText({ row, text }: MessageText, events: MessageEvents): HTMLElement {
  if (!text) {
    const sentence = `Its ${counted(row.size, "byte")} have been pushed out by newer messages: Limits.messages_bytes says how much is kept.`;
    return el("div", { class: "mcpw-sentence", testid: "message-gone" }, sentence);
  }
  const kept = new TextEncoder().encode(text.text).length;
  const value = kept < text.size ? undefined : parse(text.text);
  const place = el("div", { testid: "message-text" });
  const views = {
    Tree: () => (value === undefined ? el("div") : tree(value, OPEN_LEVELS)),
    Raw: () => longText(text.text, RAW),
  };
  const tabs = el("div", { class: "mcpw-actions", role: "group", aria: { label: "How it is shown" } });
  const choose = (name: keyof typeof views) => {
    fill(place, views[name]());
    for (const tab of tabs.querySelectorAll("button")) tab.setAttribute("aria-pressed", String(tab.dataset.testid === `message-${name}`));
  };
  for (const name of ["Tree", "Raw"] as const)
    if (name === "Raw" || value !== undefined)
      tabs.append(button(name, () => choose(name), { class: "mcpw-button", testid: `message-${name}` }));
  choose(value === undefined ? "Raw" : "Tree");
  return el("section", { class: "mcpw-section" }, tabs, ...cut(kept, text.size, events), place);
}

function cut(kept: number, size: number, events: MessageEvents): HTMLElement[] {
  if (kept >= size) return [];
  const all = button("load all of it", () => events.whole(), { class: "mcpw-link", testid: "message-whole" });
  return [el("div", { class: "mcpw-faint" }, `the first ${bytes(kept)} of ${bytes(size)}: `, all)];
}
