/** The status bar's item: clients, calls a second and what waits, while the followed kernel serves; a click opens the sidebar. */
import { Widget } from "@lumino/widgets";
import type { Summary } from "./summary";

const DRAW_EVERY_MS = 2_000;

export class StatusItem extends Widget {
  constructor(
    private readonly summary: Summary,
    open: () => void,
  ) {
    super({ node: document.createElement("button") });
    this.addClass("mcp-workbench-Status");
    this.node.onclick = open;
    summary.changed.connect(this.draw, this);
    // The rate falls while nothing comes.
    this.timer = window.setInterval(() => this.draw(), DRAW_EVERY_MS);
    this.draw();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      window.clearInterval(this.timer);
      this.summary.changed.disconnect(this.draw, this);
      super.dispose();
    }
  }

  private draw(): void {
    this.node.textContent = line(this.summary, Date.now());
    this.node.title = `${this.summary.running} of the clients' calls run now. Click for the sidebar.`;
  }

  private readonly timer: number;
}

/** `MCP: 2 clients · 3.1 calls/s · 1 waits`. */
export function line(summary: Pick<Summary, "clients" | "waiting" | "perSecond">, nowMs: number): string {
  const { clients, waiting } = summary;
  const rate = summary.perSecond(nowMs);
  const parts = [clients === 1 ? "1 client" : `${clients} clients`];
  if (rate > 0) {
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} calls/s`);
  }
  if (waiting > 0) {
    parts.push(waiting === 1 ? "1 waits" : `${waiting} wait`);
  }
  return `MCP: ${parts.join(" · ")}`;
}
