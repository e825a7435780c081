/**
 * The one place where things get into the document. Whatever clients, data and authors wrote becomes text nodes, with the characters
 * made visible that would otherwise act: nothing here, or anywhere in this folder, takes markup.
 */

/** What an element may be given; never a URL and never markup. */
export interface Props {
  class?: string;
  id?: string;
  testid?: string;
  title?: string;
  role?: string;
  /** `{ label: "Sessions" }` becomes `aria-label`; undefined leaves it out. */
  aria?: Readonly<Record<string, string | number | boolean | undefined>>;
  tabindex?: number;
  /** Of inputs and buttons. */
  type?: string;
  placeholder?: string;
  disabled?: boolean;
  on?: Readonly<Record<string, (event: never) => void>>;
}

export type Child = Node | string;

/** An element with its children; strings become text nodes, as they are. */
export function el<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (props.class) element.className = props.class;
  if (props.id) element.id = props.id;
  if (props.testid) element.dataset.testid = props.testid;
  if (props.title) element.title = inLine(props.title, TITLE);
  if (props.role) element.setAttribute("role", props.role);
  for (const [name, value] of Object.entries(props.aria ?? {})) {
    if (value !== undefined) element.setAttribute(`aria-${name}`, typeof value === "string" ? inLine(value, TITLE) : String(value));
  }
  if (props.tabindex !== undefined) element.tabIndex = props.tabindex;
  if (props.type) element.setAttribute("type", props.type);
  if (props.placeholder) element.setAttribute("placeholder", props.placeholder);
  if (props.disabled) element.setAttribute("disabled", "");
  for (const [name, listener] of Object.entries(props.on ?? {})) element.addEventListener(name, listener as EventListener);
  element.append(...children);
  return element;
}

/** A button with a text; `type="button"`, so that no form around it is sent. */
export function button(text: string, clicked: () => void, props: Props = {}): HTMLButtonElement {
  return el("button", { ...props, type: "button", on: { click: clicked } }, inLine(text, TITLE));
}

/** Put these in place of what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children);
}

/** Set a text only where it differs, so that a quiet view causes no layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

const TITLE = 2_000;
/** C0 without tab and line break, DEL, C1, directions (marks, embeddings, overrides, isolates), line separators, zero widths, BOM, lone surrogates. */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const BREAKS = /[\t\n]/g;
const HIDDEN_IN_LINE = new RegExp(`${HIDDEN.source}|${BREAKS.source}`, "g");

/** A character as it is written in code: `\x1b`, `\u202e`, `\n`. */
export function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 10) return "\\n";
  if (code === 9) return "\\t";
  if (code === 13) return "\\r";
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Somebody's text as a plain string for one line (titles, labels): what acts is escaped, what is too long is cut with an ellipsis. */
export function inLine(text: string, max = 200): string {
  const kept = head(text, max);
  const line = kept.replace(HIDDEN, escapeOf).replace(BREAKS, escapeOf);
  return kept.length < text.length ? `${line}…` : line;
}

/** How a text is shown. */
export interface Shown {
  /** Keep tabs and line breaks, as in a `pre`. */
  lines?: boolean;
  class?: string;
  title?: string;
}

/**
 * Somebody's text, with the characters made visible that would act (control characters, ANSI, directions, NUL, lone surrogates), and cut
 * at `max` characters, saying how many more there are. Directions cannot leave it.
 */
export function shown(text: string, max = 200, { lines = false, ...props }: Shown = {}): HTMLElement {
  const kept = head(text, max);
  const element = el("bdi", props);
  let from = 0;
  for (const found of kept.matchAll(lines ? HIDDEN : HIDDEN_IN_LINE)) {
    element.append(kept.slice(from, found.index), el("span", { class: "mcpw-escape" }, escapeOf(found[0])));
    from = found.index + found[0].length;
  }
  element.append(kept.slice(from));
  if (kept.length < text.length)
    element.append(el("span", { class: "mcpw-cut" }, `… ${(text.length - kept.length).toLocaleString("en")} more`));
  return element;
}

/** The first `max` characters, not ending in half a character. */
function head(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}
