/**
 * The view of one kernel in a Lumino widget, or a sentence with a button in its place while there is nothing to see. It mounts the
 * view that the other surfaces use too (`view/shell.ts`) and leaves drawing, reconnecting and versions to it.
 */
import { Widget } from "@lumino/widgets";
import { viewWay } from "./gateway";
import { Notice } from "./notice";
import type { ToKernel } from "./view/messages";
import { mountView } from "./view/shell";
import type { Way, WayEvents } from "./view/way";
import type { Workbench } from "./workbench";

export interface KernelViewOptions {
  /** Only this panel; all of them without it. */
  readonly panel?: string;
  readonly compact?: boolean;
}

export class KernelView extends Widget {
  constructor(
    private readonly workbench: Workbench,
    readonly kernelId: string,
    private readonly options: KernelViewOptions,
  ) {
    super();
    this.addClass("mcp-workbench-KernelView");
    this.notice = new Notice(workbench);
    this.host = document.createElement("div");
    this.host.className = "mcp-workbench-host";
    this.node.append(this.notice.node, this.host);
    workbench.changed.connect(this.look, this);
    this.look();
  }

  /** Connect anew, as if it had just been opened. */
  reconnect(): void {
    this.unmount();
    this.look();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.workbench.changed.disconnect(this.look, this);
      this.unmount();
      super.dispose();
    }
  }

  private look(): void {
    const situation = this.workbench.situationOf(this.kernelId);
    this.notice.show(situation);
    this.host.classList.toggle("mcp-workbench-past", situation.kind === "silent");
    if (situation.kind === "silent") {
      this.way?.end("the server has ended");
      this.since = undefined;
    }
    if (situation.kind !== "serving" || situation.server.view === undefined) {
      return; // What was seen last stays below the sentence.
    }
    if (situation.server.since !== this.since) {
      this.unmount();
      this.mount();
      this.since = situation.server.since;
    }
  }

  private mount(): void {
    this.way = new EndableWay(viewWay(this.workbench.services.serverSettings, this.kernelId));
    this.mounted = mountView(this.host, this.way, { ...this.options, remember });
  }

  private unmount(): void {
    this.mounted?.dispose();
    this.mounted = undefined;
    this.way = undefined;
    this.since = undefined;
    this.host.replaceChildren();
  }

  private readonly notice: Notice;
  private readonly host: HTMLElement;
  private mounted: { dispose(): void } | undefined;
  private way: EndableWay | undefined;
  private since: number | undefined;
}

/** A way that can be ended while what came on it stays to be seen: nobody knocks at a server that has ended. */
class EndableWay implements Way {
  constructor(private readonly inner: Way) {}

  start(events: WayEvents): void {
    this.events = events;
    this.inner.start(events);
  }

  send(message: ToKernel): void {
    this.inner.send(message);
  }

  end(sentence: string): void {
    this.inner.dispose();
    this.events?.changed("lost", sentence);
  }

  dispose(): void {
    this.events = undefined;
    this.inner.dispose();
  }

  private events: WayEvents | undefined;
}

/** Settings of panels outlive the page, in this browser. */
function remember(key: string, value?: string): string | undefined {
  const name = `mcp-workbench:${key}`;
  if (value !== undefined) {
    window.localStorage.setItem(name, value);
  }
  return window.localStorage.getItem(name) ?? undefined;
}
