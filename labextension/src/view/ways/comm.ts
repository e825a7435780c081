/**
 * A way over a comm, as anywidget offers it: `model.send` and `msg:custom`. The kernel reads a comm only between cells, so what is
 * clicked here waits for them (`Hello.waitsForCells`).
 */
import type { ToKernel, ToView } from "../messages";
import type { Way, WayEvents } from "../way";

/** What is used of an anywidget model. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown): void;
  on(event: "msg:custom", callback: (content: unknown) => void): void;
  off(event: "msg:custom", callback: (content: unknown) => void): void;
}

export class CommWay implements Way {
  private received: ((content: unknown) => void) | undefined;

  constructor(private readonly model: Model) {}

  start(events: WayEvents): void {
    this.received = (content) => {
      if (isMessage(content)) events.received(content);
    };
    this.model.on("msg:custom", this.received);
    events.changed("connecting", "asking the kernel; while a cell is busy the answer waits for it");
    events.opened();
  }

  send(message: ToKernel): void {
    if (this.received) this.model.send(message);
  }

  dispose(): void {
    if (this.received) this.model.off("msg:custom", this.received);
    this.received = undefined;
  }
}

function isMessage(content: unknown): content is ToView {
  return typeof content === "object" && content !== null && typeof (content as { type?: unknown }).type === "string";
}
