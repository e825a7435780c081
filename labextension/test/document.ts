/** A document for the tests, without a browser; made when something of this is imported. */
import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost:8888/lab" });
const observers: (() => void)[] = [];

/** Sizes are the tests' affair: there is no layout. */
class Sizes {
  constructor(changed: () => void) {
    observers.push(changed);
  }
  observe(): void {}
  disconnect(): void {}
}

const frames: (() => void)[] = [];
Object.assign(globalThis, {
  window,
  document: window.document,
  location: window.location,
  ResizeObserver: Sizes,
  requestAnimationFrame: (frame: () => void) => frames.push(frame),
  cancelAnimationFrame: () => {},
});

/** Draw what waits to be drawn. */
export function drawFrames(): void {
  for (const frame of frames.splice(0)) frame();
}

/** Give elements this size, as layout would, and tell those who watch. */
export function resize(width: number, height: number): void {
  for (const [name, value] of [
    ["clientWidth", width],
    ["clientHeight", height],
  ] as const) {
    Object.defineProperty(window.HTMLElement.prototype, name, { configurable: true, get: () => value });
  }
  for (const changed of observers) changed();
}

/** The one with this `data-testid`. */
export function byId(root: ParentNode, testid: string): HTMLElement {
  const found = root.querySelector<HTMLElement>(`[data-testid="${testid}"]`);
  if (!found) throw new Error(`nothing has data-testid="${testid}"`);
  return found;
}

export function all(root: ParentNode, testid: string): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(`[data-testid="${testid}"]`)];
}

export function press(element: Element, key: string): void {
  element.dispatchEvent(new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }) as unknown as Event);
}

export function click(element: Element): void {
  element.dispatchEvent(new window.MouseEvent("click", { bubbles: true }) as unknown as Event);
}

/** Until promises that have been kept were heard. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
