/** A document for the tests of panels, and a link that remembers what was asked. Import it before what it is for. */
import { afterEach, mock } from "node:test";
import { Window } from "happy-dom";

import type { Answer, Link, Panel, PanelKind, Question } from "../src/view/panel";

const window = new Window();
const NAMES = [
  "window",
  "document",
  "navigator",
  "devicePixelRatio",
  "matchMedia",
  "addEventListener",
  "CustomEvent",
  "Node",
  "Element",
  "HTMLElement",
  "ShadowRoot",
  "MutationObserver",
  "ResizeObserver",
  "Event",
  "KeyboardEvent",
];
for (const name of NAMES) {
  const own = window[name as keyof Window] as unknown;
  const value = name === "window" ? window : name === "matchMedia" || name === "addEventListener" ? (own as () => void).bind(window) : own;
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** Frames are the tests' affair: nothing is drawn here. */
Object.assign(globalThis, { requestAnimationFrame: () => 1, cancelAnimationFrame: () => {} });

export interface Asked {
  readonly question: Question;
  answer(answer: Answer): void;
  refuse(sentence: string): void;
}

export class FakeLink implements Link {
  clock = 1_000_000;
  waitsForCells = false;
  readonly asked: Asked[] = [];
  readonly went: [string, Readonly<Record<string, string>> | undefined][] = [];
  readonly memory = new Map<string, string>();
  watched: Parameters<Link["watch"]>[0] = {};
  /** How often somebody looked at the clock. */
  looks = 0;

  ask(question: Question): Promise<Answer> {
    return new Promise((answer, reject) => {
      this.asked.push({ question, answer, refuse: (sentence) => reject(new Error(sentence)) });
    });
  }

  watch(wanted: Parameters<Link["watch"]>[0]): void {
    this.watched = wanted;
  }

  now(): number {
    this.looks += 1;
    return this.clock;
  }

  copy(): Promise<boolean> {
    return Promise.resolve(true);
  }

  go(panel: string, wish?: Readonly<Record<string, string>>): void {
    this.went.push([panel, wish]);
  }

  remember(key: string, value?: string): string | undefined {
    if (value !== undefined) this.memory.set(key, value);
    return this.memory.get(key);
  }
}

const made: Panel[] = [];

/** A panel that stands in the document and ends with its test, also where that fails: its timers would keep the process. */
export function standing(kind: PanelKind, link: FakeLink): Panel {
  const panel = kind.create(link);
  made.push(panel);
  document.body.replaceChildren(panel.element);
  panel.shown(true);
  return panel;
}

afterEach(() => {
  for (const panel of made.splice(0)) panel.dispose();
  mock.timers.reset();
});

/** All elements with this test id, in order. */
export function all(element: Element, testid: string): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>(`[data-testid="${testid}"]`)];
}

export function one(element: Element, testid: string): HTMLElement {
  const found = all(element, testid);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`expected one ${testid}, found ${found.length}`);
  return found[0];
}

export function press(element: Element, key: string): void {
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

/** Whether these are the same elements in the same order. Not by an assertion: one that fails would print whole documents. */
export function same(a: readonly (Element | null | undefined)[], b: readonly (Element | null | undefined)[]): boolean {
  return a.length === b.length && a.every((element, i) => element === b[i]);
}

/** Let promises that are settled be heard. */
export function heard(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
