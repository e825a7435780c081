/**
 * A way over a WebSocket: the gateway's or the kernel's own. It reconnects by itself, each time after a longer while; what a browser
 * does not say (401, 403, 404: all look like a lost connection) it guesses from connections that never opened, and says so.
 */
import type { ToKernel, ToView } from "../messages";
import type { Way, WayEvents } from "../way";

export const SUBPROTOCOL = "mcp-workbench-view";
const FIRST_S = 0.5;
const LONGEST_S = 10;
/** Where it has never let us in, there is little hope. */
const HOPELESS_S = 60;
const HOPELESS_AFTER = 3;

/** What is used of a WebSocket; tests bring their own. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface WebSocketOptions {
  /** Asked at each attempt, since a token may have changed. */
  url: () => string;
  /** Offered beside ours. */
  protocols?: readonly string[];
  open?: (url: string) => Socket;
  /** Finds out why a connection did not open, where that can be asked otherwise: a sentence's beginning, or undefined. */
  explain?: () => Promise<string | undefined>;
  /** From 0 to 1, so that many views do not return in one moment. */
  random?: () => number;
}

/** Seconds to wait after so many failures in a row, before chance is added. */
export function pause(failures: number, hopeless: boolean): number {
  return hopeless ? HOPELESS_S : Math.min(LONGEST_S, FIRST_S * 2 ** (failures - 1));
}

export class WebSocketWay implements Way {
  private events: WayEvents | undefined;
  private socket: Socket | undefined;
  private isOpen = false;
  private failures = 0;
  private why = "";
  private everOpened = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: WebSocketOptions) {}

  start(events: WayEvents): void {
    this.events = events;
    this.connect();
  }

  send(message: ToKernel): void {
    if (this.isOpen) this.socket?.send(JSON.stringify(message));
  }

  dispose(): void {
    this.events = undefined;
    clearTimeout(this.timer);
    this.isOpen = false;
    const { socket } = this;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null; // Its end is no reason to begin again.
    socket.close();
  }

  private connect(): void {
    this.events?.changed("connecting", "connecting to the kernel");
    const open = this.options.open ?? ((url: string) => new WebSocket(url, [SUBPROTOCOL, ...(this.options.protocols ?? [])]) as Socket);
    let socket: Socket;
    try {
      socket = open(this.options.url());
    } catch (error) {
      this.events?.changed("refused", `the browser does not open a connection: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      this.isOpen = true;
      this.everOpened = true;
      this.events?.opened();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.closed(event.reason);
  }

  private receive(data: unknown): void {
    let message: ToView;
    try {
      message = JSON.parse(String(data));
    } catch {
      this.socket?.close(); // Whoever answers there is no kernel of ours; `closed` says what happens next.
      return;
    }
    if (message.type === "hello") this.failures = 0; // After `refused` the pauses still grow.
    this.events?.received(message);
  }

  private closed(reason: string): void {
    const opened = this.isOpen;
    this.isOpen = false;
    this.socket = undefined;
    this.failures += 1;
    const hopeless = !this.everOpened && this.failures >= HOPELESS_AFTER;
    const seconds = pause(this.failures, hopeless) * (0.75 + 0.5 * (this.options.random ?? Math.random)());
    this.why = hopeless
      ? `refused ${this.failures} times: there is no server of ours at this address, or it does not let this page in`
      : `connection lost${reason ? ` (${reason})` : ""}`;
    this.countDown(seconds);
    if (!opened) void this.explain();
  }

  /** The next step of the countdown says it. */
  private async explain(): Promise<void> {
    const { failures } = this;
    const why = await this.options.explain?.();
    if (why !== undefined && failures === this.failures) this.why = why;
  }

  private countDown(seconds: number): void {
    if (seconds <= 0) return this.connect();
    this.events?.changed("lost", `${this.why}; trying again in ${Math.ceil(seconds)} s`);
    const step = seconds > 1 ? seconds - Math.floor(seconds - 0.001) : seconds;
    this.timer = setTimeout(() => this.countDown(seconds - step), step * 1000);
  }
}
