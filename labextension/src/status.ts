/** The status bar's item: clients, calls a second and what waits, while the followed kernel serves; a click opens the sidebar. */
import { Widget } from "@lumino/widgets";
import { line, type Summary } from "./summary";

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
    this.timer = setInterval(() => this.draw(), DRAW_EVERY_MS);
    this.draw();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      clearInterval(this.timer);
      this.summary.changed.disconnect(this.draw, this);
      super.dispose();
    }
  }

  private draw(): void {
    this.node.textContent = line(this.summary, Date.now());
    const { running, waiting } = this.summary;
    this.node.title = `${running} of the clients' calls run now, ${waiting} wait. Click for the sidebar.`;
  }

  private readonly timer: ReturnType<typeof setInterval>;
}
