/**
 * Colours of charts. They are said in CSS (`latency.css`) and read when something is drawn, so that a chart follows the theme of
 * whatever it stands in: JupyterLab, VS Code, a page of its own.
 */
import { el } from "../dom";

const INKS = ["text", "quiet", "main", "compare", "failed", "ground", "wait", "run", "send"] as const;

export type Ink = (typeof INKS)[number];
export type Palette = Readonly<Record<Ink, string>>;

/** Tells a chart its colours, and when they have changed. */
export class Colours {
  /** To be put into the chart: what is read is the colour of its children. */
  readonly element: HTMLElement;
  private readonly probes: readonly (readonly [Ink, HTMLElement])[];
  private readonly scheme: MediaQueryList;
  private readonly observer: MutationObserver;
  private readonly look: () => void;
  private last = "";

  constructor(changed: () => void) {
    // Most changes of an ancestor's class or style have nothing to do with colours.
    this.look = () => {
      const before = this.last;
      this.palette();
      if (this.last !== before) changed();
    };
    this.probes = INKS.map((ink) => [ink, el("span", { class: `mcpw-figure-ink-${ink}` })] as const);
    this.element = el("span", { class: "mcpw-figure-inks" }, ...this.probes.map(([, probe]) => probe));
    this.element.hidden = true;
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.look);
    // JupyterLab names its new theme first and fetches that theme's stylesheet then: colours are others only when it is there. `load`
    // does not bubble, so it is caught on its way down.
    this.element.ownerDocument.addEventListener("load", this.look, true);
    this.observer = new MutationObserver(this.look);
  }

  palette(): Palette {
    const view = this.element.ownerDocument.defaultView ?? window;
    const colours = this.probes.map(([ink, probe]) => [ink, view.getComputedStyle(probe).color] as const);
    this.last = colours.join();
    return Object.fromEntries(colours) as Record<Ink, string>;
  }

  /** Look out for changes, now that the chart stands somewhere: themes are attributes of what it stands in. */
  follow(): void {
    this.observer.disconnect();
    for (let node: Node | null = this.element.parentNode; node !== null; node = holder(node)) {
      if (node instanceof Element) this.observer.observe(node, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
    }
  }

  dispose(): void {
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.look);
    this.element.ownerDocument.removeEventListener("load", this.look, true);
  }
}

const THEME_ATTRIBUTES = ["class", "style", "data-theme", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];

function holder(node: Node): Node | null {
  return node instanceof ShadowRoot ? node.host : node.parentNode;
}
