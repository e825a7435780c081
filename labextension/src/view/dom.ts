/** How texts and elements get into the document: never as markup. */

export interface Props {
  class?: string;
  testid?: string;
  title?: string;
  role?: string;
  tabindex?: number;
  aria?: Record<string, string>;
  on?: Record<string, (event: Event) => void>;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props?.class !== undefined) element.className = props.class;
  if (props?.testid !== undefined) element.dataset["testid"] = props.testid;
  if (props?.title !== undefined) element.title = props.title;
  if (props?.role !== undefined) element.setAttribute("role", props.role);
  if (props?.tabindex !== undefined) element.tabIndex = props.tabindex;
  for (const [name, value] of Object.entries(props?.aria ?? {})) element.setAttribute(`aria-${name}`, value);
  for (const [name, act] of Object.entries(props?.on ?? {})) element.addEventListener(name, act);
  element.append(...children);
  return element;
}

/** Control characters, and those that turn the direction of what follows or are not seen at all. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text of others: what cannot be seen is written out, what is too long is cut and says so. */
export function shown(text: string, max = 300): Node {
  const kept = text.length > max ? text.slice(0, max) : text;
  const visible = kept.replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const cut = text.length > max ? `… (${text.length.toLocaleString("en")} characters)` : "";
  return el("bdi", {}, visible + cut);
}
