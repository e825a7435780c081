/** A WebSocket as a way to a kernel; connects anew when the connection is lost. */
import type { ToKernel, ToView } from "../messages";
import type { Way, WayEvents } from "../way";

export class WebSocketWay implements Way {
  constructor(private readonly options: { url: () => string }) {}

  start(events: WayEvents): void {
    events.changed("connecting", "Connecting.");
    const socket = new WebSocket(this.options.url(), "mcp-workbench-view");
    this.socket = socket;
    socket.onopen = () => {
      events.changed("open", "Connected.");
      events.opened();
    };
    socket.onmessage = (event) => events.received(JSON.parse(String(event.data)) as ToView);
    socket.onclose = () => {
      if (!this.ended) {
        events.changed("lost", "The connection is lost; trying again.");
        this.timer = setTimeout(() => this.start(events), 2000);
      }
    };
  }

  send(message: ToKernel): void {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(message));
    }
  }

  dispose(): void {
    this.ended = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }

  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ended = false;
}
