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
  private frame = 0;
  private last = "";

  /** Args: `changed` is told with a frame of the screen, when what was hidden for the change is there again. */
  constructor(changed: () => void) {
    this.look = () => {
      // JupyterLab hides all of itself while it changes its theme: a chart has no size then, and would not be drawn.
      if (!this.frame) this.frame = requestAnimationFrame(() => this.lookAgain(changed));
    };
    this.probes = INKS.map((ink) => [ink, el("span", { class: `mcpw-figure-ink-${ink}` })] as const);
    this.element = el("span", { class: "mcpw-figure-inks" }, ...this.probes.map(([, probe]) => probe));
    this.element.hidden = true;
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.look);
    this.observer = new MutationObserver(this.look);
  }

  palette(): Palette {
    const view = this.element.ownerDocument.defaultView ?? window;
    const colours = this.probes.map(([ink, probe]) => [ink, view.getComputedStyle(probe).color] as const);
    this.last = colours.join();
    return Object.fromEntries(colours) as Record<Ink, string>;
  }

  /**
   * Look out for changes: themes are attributes of what the chart stands in. It may not stand in the document yet, as in JupyterLab's main
   * area, whose widgets are shown before they are attached; so the document's own are among them in any case.
   */
  follow(): void {
    this.observer.disconnect();
    const { documentElement, body } = this.element.ownerDocument;
    const around = new Set<Node>([documentElement, body]);
    for (let node: Node | null = this.element.parentNode; node !== null; node = holder(node)) around.add(node);
    for (const node of around)
      if (node instanceof Element) this.observer.observe(node, { attributes: true, attributeFilter: THEME_ATTRIBUTES });
  }

  /** Most changes of an ancestor's class or style have nothing to do with colours. */
  private lookAgain(changed: () => void): void {
    this.frame = 0;
    const before = this.last;
    this.palette();
    if (this.last !== before) changed();
  }

  dispose(): void {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.look);
  }
}

const THEME_ATTRIBUTES = ["class", "style", "data-theme", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind"];

function holder(node: Node): Node | null {
  return node instanceof ShadowRoot ? node.host : node.parentNode;
}
