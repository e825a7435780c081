/**
 * The view's side of a connection: opens, compares versions, numbers what is asked, keeps the kernel's clock, and says after each
 * reconnection again what is watched. It knows the messages, not what they look like; `ways/` carry them, `shell.ts` shows them.
 */
import { type HistogramKey, type PanelFilter, type ToKernel, type ToView, VERSION, VIEW_PROTOCOL, type Watch } from "./messages";
import type { Answer, Question } from "./panel";
import type { Way, WayState } from "./way";

const ANSWER_MS = 10_000;

/** How things stand, for people. */
export interface Standing {
  /** `live`: the kernel has said hello; else as the way says. */
  state: "connecting" | "live" | "lost" | "refused";
  sentence: string;
  /** What to type where a version does not fit. */
  command?: string;
  /** Where the command belongs, or what follows it. */
  then?: string;
}

export interface ClientEvents {
  /** The kernel tells everything anew from here; not before it does, so that its last state stays where it ends again at once. */
  reset(): void;
  received(message: ToView): void;
  changed(standing: Standing): void;
}

/** What is to be seen. */
export interface Wanted {
  panels: readonly string[];
  histograms?: readonly HistogramKey[];
  heatmap?: string;
  filters?: readonly PanelFilter[];
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(reason: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

export class Client {
  standing: Standing = { state: "connecting", sentence: "connecting to the kernel" };
  waitsForCells = false;
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  private offset = 0;
  private stopped: number | undefined;
  /** The kernel has said hello and nothing else yet: what was told before stays to be seen until then. */
  private anew = false;
  private watched = "";
  private wanted: Wanted = { panels: [] };

  /** Args: `clock` gives seconds since 1970 by this machine. */
  constructor(
    private readonly way: Way,
    private readonly events: ClientEvents,
    private readonly clock: () => number = () => Date.now() / 1000,
  ) {}

  start(): void {
    this.way.start({
      opened: () => this.opened(),
      received: (message) => this.receive(message),
      changed: (state, sentence) => this.wayChanged(state, sentence),
    });
  }

  dispose(): void {
    this.way.dispose();
    this.giveUp("this view has been closed");
  }

  /** Seconds since 1970 by the kernel's clock; it stands still while nothing is heard of the kernel, for what is seen is of then. */
  now(): number {
    return this.stopped ?? this.clock() + this.offset;
  }

  ask(question: Question): Promise<Answer> {
    if (this.standing.state !== "live") return Promise.reject(new Error(`the kernel was not asked: ${this.standing.sentence}`));
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new Error(this.late())), ANSWER_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.way.send({ ...question, id } as ToKernel);
    });
  }

  /** Say what is to be seen from now on; sent where it differs from what was said, and again after each reconnection. */
  watch(wanted: Wanted): void {
    this.wanted = wanted;
    if (this.standing.state === "live") this.sendWatch();
  }

  private opened(): void {
    this.watched = "";
    this.giveUp("the connection was lost before the kernel answered");
    this.way.send({ type: "open", viewProtocol: VIEW_PROTOCOL, version: VERSION });
  }

  private receive(message: ToView): void {
    if (message.type === "hello") {
      if (message.viewProtocol !== VIEW_PROTOCOL) return this.change(misfit(message.viewProtocol, message.version));
      this.offset = message.now - this.clock();
      this.waitsForCells = message.waitsForCells ?? false;
      this.anew = true;
      const live = this.waitsForCells ? "news and clicks may wait while a cell is busy" : "live";
      const versions = message.version === VERSION ? "" : `; mcp_workbench ${message.version} in the kernel, ${VERSION} in this view`;
      this.change({ state: "live", sentence: live + versions });
      this.sendWatch();
      this.events.received(message);
    } else if (message.type === "refused") {
      if (this.standing.state === "refused") return; // Seen here already, and said with where to type what.
      this.change({ state: "refused", sentence: message.sentence, ...(message.command ? { command: message.command } : {}) });
    } else if (this.standing.state === "live") {
      if ("re" in message) this.settle(message.re)?.resolve(message);
      else this.tell(message);
    }
  }

  private tell(message: ToView): void {
    if (this.anew) this.events.reset();
    this.anew = false;
    this.events.received(message);
  }

  private wayChanged(state: WayState, sentence: string): void {
    if (state === "open") return;
    this.giveUp("the connection was lost before the kernel answered");
    if (this.standing.state === "refused" && state !== "refused") return; // Until a kernel that fits says hello.
    this.change({ state, sentence });
  }

  private change(standing: Standing): void {
    this.standing = standing;
    this.stopped = standing.state === "live" ? undefined : this.now();
    this.events.changed(standing);
  }

  private sendWatch(): void {
    const { panels, histograms = [], heatmap, filters = [] } = this.wanted;
    const watch: Watch = {
      type: "watch",
      panels,
      histograms,
      ...(heatmap === undefined ? {} : { heatmap }),
      ...(filters.length ? { filters } : {}),
    };
    const text = JSON.stringify(watch);
    if (text === this.watched) return;
    this.watched = text;
    this.way.send(watch);
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  private giveUp(sentence: string): void {
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new Error(sentence));
  }

  private late(): string {
    const seconds = ANSWER_MS / 1000;
    return this.waitsForCells
      ? `no answer within ${seconds} s: a cell is busy; ask again when it has ended`
      : `the kernel has not answered within ${seconds} s: ask again, or look whether it still runs`;
  }
}

/** What to say, and to type, where the kernel speaks another version of these messages. */
export function misfit(kernelProtocol: number, kernelVersion: string): Standing {
  const versions = `the kernel has mcp_workbench ${kernelVersion} (views ${kernelProtocol}), this view comes from ${VERSION} (views ${VIEW_PROTOCOL})`;
  return kernelProtocol < VIEW_PROTOCOL
    ? {
        state: "refused",
        sentence: `${versions}: upgrade it in the kernel's environment`,
        command: "%pip install --upgrade /path/to/mcp_workbench",
        then: "in a cell, then restart the kernel",
      }
    : {
        state: "refused",
        sentence: `${versions}: upgrade it where Jupyter runs`,
        command: "pip install --upgrade /path/to/mcp_workbench",
        then: "in Jupyter's environment, then start Jupyter anew and reload this page",
      };
}
