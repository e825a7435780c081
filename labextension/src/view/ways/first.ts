/**
 * The better of two ways: the gateway, which works while cells are busy, and where that does not answer, the comm. The gateway goes on
 * trying meanwhile and takes over when it appears.
 */
import type { ToKernel, ToView } from "../messages";
import type { Way, WayEvents, WayState } from "../way";

const PATIENCE_MS = 3000;

export class FirstWay implements Way {
  private events: WayEvents | undefined;
  private better: Way | undefined;
  private other: Way | undefined;
  private current: "better" | "other" = "better";
  private betterIsOpen = false;
  private everOpen = false;
  /** It was open a moment ago and may be back in another. */
  private patient = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Args: how each way is made; the other one anew each time it is needed. */
  constructor(
    private readonly makeBetter: () => Way,
    private readonly makeOther: () => Way,
  ) {}

  start(events: WayEvents): void {
    this.events = events;
    this.timer = setTimeout(() => this.fallBack(), PATIENCE_MS);
    this.better = this.makeBetter();
    this.better.start({
      opened: () => this.betterOpened(),
      received: (message) => this.pass("better", message),
      changed: (state, sentence) => this.betterChanged(state, sentence),
    });
  }

  send(message: ToKernel): void {
    (this.current === "better" ? this.better : this.other)?.send(message);
  }

  dispose(): void {
    this.events = undefined;
    clearTimeout(this.timer);
    this.better?.dispose();
    this.other?.dispose();
  }

  private betterOpened(): void {
    clearTimeout(this.timer);
    this.patient = false;
    this.betterIsOpen = this.everOpen = true;
    this.current = "better";
    this.other?.dispose();
    this.other = undefined;
    this.events?.opened();
  }

  private betterChanged(state: WayState, sentence: string): void {
    if (state === "lost" && this.betterIsOpen) {
      this.betterIsOpen = false;
      this.patient = true;
      this.timer = setTimeout(() => this.fallBack(), PATIENCE_MS);
    } else if ((state === "lost" && !this.patient) || state === "refused") {
      this.fallBack();
    }
    if (this.current === "better") this.events?.changed(state, sentence);
  }

  private fallBack(): void {
    clearTimeout(this.timer);
    this.patient = false;
    if (this.other || this.betterIsOpen || !this.events) return;
    this.current = "other";
    this.other = this.makeOther();
    this.other.start({
      opened: () => this.events?.opened(),
      received: (message) => this.pass("other", message),
      changed: (state, sentence) => this.otherChanged(state, sentence),
    });
  }

  /** Where there was a connection it stays lost until the other way has one. */
  private otherChanged(state: WayState, sentence: string): void {
    if (this.everOpen && state === "connecting") this.events?.changed("lost", `connection lost; ${sentence}`);
    else this.events?.changed(state, sentence);
  }

  private pass(from: "better" | "other", message: ToView): void {
    if (from === this.current) this.events?.received(message);
  }
}
