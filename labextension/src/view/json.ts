/**
 * JSON from elsewhere, as a tree that opens: made only as far as it is looked at, so that neither depth nor length costs anything. Numbers
 * that JavaScript cannot hold are shown as they were written.
 */
import { button, el, inLine, shown } from "./dom";
import { counted, number } from "./format";

const ENTRIES = 100;
const STRING = 600;
const KEY = 120;
const PREVIEW = 60;
const INLINE = 12;

/** A number as it was written, where `Number` would change it. */
export class Written {
  constructor(readonly source: string) {}
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;

/** The value, or undefined where the text is no JSON (cut, for instance) or too deep to be read. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text, keepNumbers as Reviver);
  } catch {
    return undefined;
  }
}

function keepNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined) return value;
  const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  return exact ? value : new Written(source);
}

/** A member of what was parsed; undefined where there is no such thing. Never reaches into prototypes. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** A member that is a string; else empty. */
export function text(value: unknown, name: string): string {
  const found = member(value, name);
  return typeof found === "string" ? found : "";
}

/** A member that is a list; else an empty one. */
export function list(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Written);
}

/** A value as lines of JSON, members in order of their names, so that two can be compared line by line. */
export function lines(value: unknown): string[] {
  return written(value, "").split("\n");
}

function written(value: unknown, indent: string): string {
  if (value instanceof Written) return value.source;
  const entries = entriesOf(value);
  if (!entries?.length) return JSON.stringify(value) ?? "";
  const isList = Array.isArray(value);
  const sorted = isList ? entries : [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const inner = sorted.map(([key, one]) => `${indent}  ${isList ? "" : `${JSON.stringify(key)}: `}${written(one, `${indent}  `)}`);
  return `${isList ? "[" : "{"}\n${inner.join(",\n")}\n${indent}${isList ? "]" : "}"}`;
}

/** A value as a tree, open so many levels deep. */
export function tree(value: unknown, open = 2): HTMLElement {
  return el("div", { class: "mcpw-json" }, node(value, undefined, open));
}

function node(value: unknown, key: string | undefined, open: number): HTMLElement {
  const entries = entriesOf(value);
  if (!entries?.length || isShortList(value)) return el("div", { class: "mcpw-leaf" }, ...label(key), leaf(value));
  const summary = el("summary", {}, ...label(key), el("span", { class: "mcpw-preview" }, preview(value, entries)));
  const details = el("details", { class: "mcpw-node" }, summary);
  const unfold = () => {
    if (details.childElementCount === 1) details.append(children(entries, Array.isArray(value), open - 1));
  };
  details.addEventListener("toggle", unfold);
  if (open > 0) {
    details.open = true;
    unfold();
  }
  return details;
}

function children(entries: readonly [string, unknown][], isList: boolean, open: number, from = 0): HTMLElement {
  const part = entries.slice(from, from + ENTRIES);
  const box = el(
    "div",
    { class: "mcpw-children" },
    ...part.map(([key, value]) => node(value, isList ? `${key}` : JSON.stringify(key), open)),
  );
  const left = entries.length - from - part.length;
  if (left > 0) {
    const more = button(`show ${number(Math.min(left, ENTRIES))} of ${number(left)} more`, () => {
      more.replaceWith(...children(entries, isList, open, from + ENTRIES).childNodes);
    });
    more.className = "mcpw-link";
    box.append(more);
  }
  return box;
}

function entriesOf(value: unknown): [string, unknown][] | undefined {
  return Array.isArray(value) || isObject(value) ? Object.entries(value) : undefined;
}

function label(key: string | undefined): (HTMLElement | string)[] {
  return key === undefined ? [] : [el("span", { class: "mcpw-key" }, shown(key, KEY)), ": "];
}

/** `[1, 2, 3]` is read faster than opened. */
function isShortList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= INLINE && value.every((one) => one === null || ["number", "boolean"].includes(typeof one));
}

function leaf(value: unknown): HTMLElement {
  if (typeof value === "string") return stringLeaf(value);
  const written =
    value instanceof Written ? value.source : isShortList(value) ? `[${value.map(String).join(", ")}]` : JSON.stringify(value);
  return el("span", { class: "mcpw-value" }, shown(written, STRING));
}

function stringLeaf(value: string): HTMLElement {
  const whole = JSON.stringify(value);
  const element = el("span", { class: "mcpw-string" }, shown(whole, STRING));
  if (whole.length > STRING)
    element.append(
      " ",
      showAll(value.length, () => element.replaceChildren(shown(whole, whole.length))),
    );
  return element;
}

function preview(value: unknown, entries: readonly [string, unknown][]): string {
  if (Array.isArray(value)) return `[ ${counted(entries.length, "item")} ]`;
  return `{ ${inLine(
    entries
      .slice(0, 8)
      .map(([key]) => inLine(key, 20))
      .join(", "),
    PREVIEW,
  )} }`;
}

function showAll(length: number, clicked: () => void): HTMLButtonElement {
  return button(`show all ${number(length)} characters`, clicked, { class: "mcpw-link" });
}

/** A text of several lines, of which the beginning is shown; what is left is a click away. */
export function longText(value: string, max = 4_000, testid?: string): HTMLElement {
  const pre = el("pre", { class: "mcpw-pre", ...(testid ? { testid } : {}) }, shown(value, max, { lines: true }));
  if (value.length <= max) return pre;
  const box = el("div", {}, pre);
  const all = showAll(value.length, () => {
    pre.replaceChildren(shown(value, value.length, { lines: true }));
    all.remove();
  });
  box.append(all);
  return box;
}
