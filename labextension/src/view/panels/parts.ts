/**
 * What these panels have in common: lists whose rows stay the same elements while they change, so that neither focus nor a running
 * animation is lost; a clock that stands still while nobody looks; buttons that ask first.
 */

import { el, shown } from "../dom";
import type { Answer } from "../panel";

export interface Row<T> {
  readonly element: HTMLElement;
  update(item: T): void;
  dispose?(): void;
}

/** The children of one element, one for each item, known by its key. */
export class Rows<T> {
  private readonly rows = new Map<string, Row<T>>();
  private readonly parent: HTMLElement;
  private readonly key: (item: T) => string;
  private readonly make: (item: T) => Row<T>;

  constructor(parent: HTMLElement, key: (item: T) => string, make: (item: T) => Row<T>) {
    this.parent = parent;
    this.key = key;
    this.make = make;
  }

  /** These items in this order; rows of others go. */
  set(items: readonly T[]): void {
    const kept = new Set(items.map(this.key));
    for (const [key, row] of this.rows) if (!kept.has(key)) this.drop(key, row);
    keepingFocus(this.parent, () => {
      let next = this.parent.firstElementChild;
      for (const item of items) {
        const { element } = this.updated(item);
        if (element === next) next = next.nextElementSibling;
        else this.parent.insertBefore(element, next);
      }
    });
  }

  get(key: string): Row<T> | undefined {
    return this.rows.get(key);
  }

  private updated(item: T): Row<T> {
    const key = this.key(item);
    const row = this.rows.get(key) ?? this.make(item);
    this.rows.set(key, row);
    row.update(item);
    return row;
  }

  private drop(key: string, row: Row<T>): void {
    row.dispose?.();
    row.element.remove();
    this.rows.delete(key);
  }
}

/** An element that is moved loses focus; this gives it back. */
function keepingFocus(parent: HTMLElement, act: () => void): void {
  const root = parent.getRootNode() as Document | ShadowRoot;
  const active = root.activeElement;
  act();
  if (active instanceof HTMLElement && root.activeElement !== active && parent.contains(active)) active.focus({ preventScroll: true });
}

/** Calls every so often while it runs. */
export class Ticker {
  private timer: ReturnType<typeof setInterval> | null = null;
  private readonly act: () => void;
  private readonly ms: number;

  constructor(act: () => void, ms = 1000) {
    this.act = act;
    this.ms = ms;
  }

  run(running: boolean): void {
    if (running && this.timer === null) this.timer = setInterval(this.act, this.ms);
    if (running || this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
  }
}

/** Change a text only where it differs: what is selected or read out stays so. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** The same for a text of others. */
export function setShown(element: HTMLElement, text: string, max?: number): void {
  const node = shown(text, max);
  if (element.textContent !== node.textContent) element.replaceChildren(node);
}

/** ARIA states by their short names; null takes one away. */
export function setAria(element: Element, states: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(states)) {
    if (value === null) element.removeAttribute(`aria-${name}`);
    else if (element.getAttribute(`aria-${name}`) !== value) element.setAttribute(`aria-${name}`, value);
  }
}

export function button(label: string | Node, testid: string, act: () => void, title?: string): HTMLButtonElement {
  const element = el("button", { class: "mcpw-button", testid, ...(title !== undefined && { title }), on: { click: act } }, label);
  element.type = "button";
  return element;
}

/** A button whose answer is awaited does nothing, but keeps the focus, which one that is disabled loses. */
export function setBusy(element: HTMLButtonElement, busy: boolean): void {
  setAria(element, { disabled: busy ? "true" : null });
}

export function isBusy(element: HTMLButtonElement): boolean {
  return element.getAttribute("aria-disabled") === "true";
}

/** `8 s`, `2 min 5 s`, `1 h 3 min`: whole seconds, for what still goes on. */
export function elapsed(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** What a rejected question or an unfitting answer says. */
export function sentenceOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}

/** The sentence of an answer to `Stop` or `Touch`. */
export function doneSentence(answer: Answer): string {
  return answer.type === "done" ? answer.sentence : `Expected "done" and got "${answer.type}": reload this view.`;
}

/** A button that asks before it acts, in its own place. */
export class Confirmed {
  /** The button, or the question. */
  readonly place: HTMLElement;
  /** What came of it. */
  readonly said: HTMLElement;
  /** Is told when something has come of it. */
  heard = (): void => {};
  private readonly opener: HTMLButtonElement;
  private readonly act: () => Promise<string>;
  private readonly question: string;
  private readonly verb: string;

  /** `verb` is on the button, `question` beside the two that follow; `testid` is that of the first. */
  constructor(verb: string, question: string, testid: string, act: () => Promise<string>) {
    this.act = act;
    this.question = question;
    this.verb = verb;
    this.opener = button(verb, testid, () => this.ask());
    this.place = el("span", { class: "mcpw-figure-confirm" }, this.opener);
    this.said = el("p", { class: "mcpw-figure-said", role: "status", testid: `${testid}-answer` });
    this.said.hidden = true;
  }

  /** Whether it can still be done; the sentence of what was done stays. */
  offer(possible: boolean): void {
    if (!possible) this.close();
    this.place.hidden = !possible;
  }

  private ask(): void {
    if (isBusy(this.opener)) return;
    const yes = button(`${this.verb} it`, "confirm-yes", () => void this.go());
    yes.classList.add("mcpw-figure-danger");
    const no = button("Keep it", "confirm-no", () => this.back());
    const group = el("span", {
      class: "mcpw-figure-confirm-question",
      role: "group",
      on: { keydown: (event) => this.key(event as KeyboardEvent) },
    });
    group.append(el("span", {}, shown(this.question)), yes, no);
    setAria(group, { label: this.question });
    this.place.replaceChildren(group);
    no.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.back();
  }

  private back(): void {
    this.close();
    this.opener.focus();
  }

  private close(): void {
    if (this.opener.parentElement !== this.place) this.place.replaceChildren(this.opener);
  }

  private async go(): Promise<void> {
    this.back();
    setBusy(this.opener, true);
    this.said.hidden = false;
    setText(this.said, "Asked …");
    try {
      setShown(this.said, await this.act());
    } catch (reason) {
      setShown(this.said, sentenceOf(reason));
    } finally {
      setBusy(this.opener, false);
      this.heard();
    }
  }
}
