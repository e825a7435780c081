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

/** Browsers let a hidden page run once a minute; the kernel gives a view up that says nothing for 90 s. */
const HEARTBEAT_MS = 20_000;
/** A kernel that knows nothing of this comm says so to nobody. */
const PATIENCE_MS = 5_000;
const CLOSED = "the kernel was restarted, or has ended: run this cell again";
const SILENCE = "no answer from the kernel: if it was restarted, run this cell again; while a cell is busy the answer waits for it";

export class CommWay implements Way {
  private received: ((content: unknown) => void) | undefined;
  private events: WayEvents | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;
  /** Said last; saying it again is the sign of life, and takes the view in again that the kernel has given up. */
  private watch: ToKernel | undefined;

  constructor(private readonly model: Model) {}

  start(events: WayEvents): void {
    this.events = events;
    this.received = (content) => {
      if (!isMessage(content)) return;
      clearTimeout(this.waiting);
      if (content.type === "closed") events.changed("lost", content.reason);
      else events.received(content);
    };
    this.beat = setInterval(() => {
      if (this.watch) this.say(this.watch);
      else events.opened(); // Nobody has answered yet.
    }, HEARTBEAT_MS);
    this.model.on("msg:custom", this.received);
    this.waiting = setTimeout(() => events.changed("lost", SILENCE), PATIENCE_MS);
    events.changed("connecting", "asking the kernel; while a cell is busy the answer waits for it");
    events.opened();
  }

  send(message: ToKernel): void {
    if (!this.received) return;
    if (message.type === "watch") this.watch = message;
    this.say(message);
  }

  dispose(): void {
    if (this.received) this.model.off("msg:custom", this.received);
    this.received = this.events = undefined;
    this.rest();
  }

  /** A comm that was closed throws; it never opens again. */
  private say(message: ToKernel): void {
    try {
      this.model.send(message);
    } catch {
      this.rest();
      this.events?.changed("lost", CLOSED);
    }
  }

  private rest(): void {
    clearInterval(this.beat);
    clearTimeout(this.waiting);
  }
}

function isMessage(content: unknown): content is ToView {
  return typeof content === "object" && content !== null && typeof (content as { type?: unknown }).type === "string";
}
