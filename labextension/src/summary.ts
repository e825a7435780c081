/**
 * The followed kernel in four figures, by a connection of its own that watches only its state and its sessions. Feeds the status
 * item, the question before stopping, and the texts to copy.
 */
import type { IDisposable } from "@lumino/disposable";
import { type ISignal, Signal } from "@lumino/signaling";
import { type OpenCalls, type SessionRow, type Snippet, type State, type ToView, VERSION, VIEW_PROTOCOL } from "./view/messages";
import type { Way } from "./view/way";
import type { Workbench } from "./workbench";

/** Calls a second are counted over these. */
const WINDOW_MS = 10_000;
const NONE: OpenCalls = { type: "openCalls" };

export class Summary implements IDisposable {
  /** `open` makes a way to a kernel. */
  constructor(
    private readonly workbench: Workbench,
    private readonly open: (kernelId: string) => Way,
  ) {
    workbench.changed.connect(this.follow, this);
    this.follow();
  }

  /** The figures, or whether there are any, may be others. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether the followed kernel serves and can be watched. */
  get isServing(): boolean {
    return this.way !== undefined;
  }

  /** Sessions that are open. */
  get clients(): number {
    return this.sessions.size;
  }

  /** Calls that were taken and do not run yet: for a place, for the main thread, for news, behind a cell. */
  get waiting(): number {
    return (this.going.rows ?? []).filter(({ waits }) => waits).length;
  }

  /** Calls that run, those included that the kernel only counts. */
  get running(): number {
    return (this.going.rows ?? []).filter(({ waits }) => !waits).length + (this.going.more ?? 0);
  }

  /** Calls a second over the last ten seconds. */
  perSecond(nowMs: number): number {
    this.counts = this.counts.filter((one, index) => nowMs - (this.counts[index + 1] ?? one).at < WINDOW_MS);
    const first = this.counts[0];
    const last = this.counts.at(-1);
    return first === undefined || last === undefined ? 0 : ((last.calls - first.calls) * 1000) / WINDOW_MS;
  }

  /** How hosts are connected; empty while the kernel has not told. */
  get connections(): readonly Snippet[] {
    return this.state?.connect ?? [];
  }

  reconnect(): void {
    this.leave();
    this.follow();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.workbench.changed.disconnect(this.follow, this);
      this.leave();
      Signal.clearData(this);
    }
  }

  private follow(): void {
    const situation = this.workbench.situation;
    const kernel = situation.kind === "serving" && situation.server.view !== undefined ? situation : undefined;
    const subject = kernel === undefined ? "" : `${kernel.kernelId} ${kernel.server.since}`;
    if (subject !== this.subject) {
      this.leave();
      this.subject = subject;
      if (kernel !== undefined) {
        this.connect(kernel.kernelId);
      }
      this._changed.emit();
    }
  }

  private connect(kernelId: string): void {
    const way = this.open(kernelId);
    this.way = way;
    way.start({
      opened: () => {
        this.forget();
        way.send({ type: "open", viewProtocol: VIEW_PROTOCOL, version: VERSION });
        way.send({ type: "watch", panels: ["connect", "sessions", "running"] });
      },
      received: (message) => this.take(message),
      changed: (state) => {
        if (state === "lost") {
          void this.workbench.refresh();
        }
      },
    });
  }

  private take(message: ToView): void {
    if (message.type === "state") {
      this.state = message;
      this.counts.push({ at: Date.now(), calls: message.calls ?? 0 });
    } else if (message.type === "openCalls") {
      this.going = message;
    } else if (message.type === "sessions") {
      for (const row of message.rows ?? []) {
        if ((row.until ?? 0) === 0) {
          this.sessions.set(row.id, row);
        } else {
          this.sessions.delete(row.id);
        }
      }
      for (const id of message.gone ?? []) {
        this.sessions.delete(id);
      }
    } else {
      return;
    }
    this._changed.emit();
  }

  private leave(): void {
    this.way?.dispose();
    this.way = undefined;
    this.subject = "";
    this.forget();
  }

  private forget(): void {
    this.state = undefined;
    this.counts = [];
    this.sessions.clear();
    this.going = NONE;
  }

  private way: Way | undefined;
  private subject = "";
  private state: State | undefined;
  /** `calls` of the states that came lately. */
  private counts: { readonly at: number; readonly calls: number }[] = [];
  private going: OpenCalls = NONE;
  private readonly sessions = new Map<string, SessionRow>();
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** `MCP: 2 clients · 3.1 calls/s · 2 running · 1 waiting`. */
export function line(summary: Pick<Summary, "clients" | "running" | "waiting" | "perSecond">, nowMs: number): string {
  const { clients, running, waiting } = summary;
  const rate = summary.perSecond(nowMs);
  const parts = [clients === 1 ? "1 client" : `${clients} clients`];
  if (rate > 0) {
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} calls/s`);
  }
  if (running > 0) {
    parts.push(`${running} running`);
  }
  if (waiting > 0) {
    parts.push(`${waiting} waiting`);
  }
  return `MCP: ${parts.join(" · ")}`;
}
