/** A WebSocket as a way to a kernel; connects anew when the connection is lost. */
import type { ToView } from "../messages";
import type { Way, WayEvents } from "../way";

export function webSocketWay(url: () => string, protocols: string[]): Way {
  let socket: WebSocket | undefined;
  let timer: number | undefined;
  let ended = false;
  const connect = (events: WayEvents): void => {
    events.changed("connecting", "Connecting.");
    socket = new WebSocket(url(), protocols);
    socket.onopen = () => {
      events.changed("open", "Connected.");
      events.opened();
    };
    socket.onmessage = (event) => events.received(JSON.parse(String(event.data)) as ToView);
    socket.onclose = () => {
      if (!ended) {
        events.changed("lost", "The connection is lost; trying again.");
        timer = window.setTimeout(() => connect(events), 2000);
      }
    };
  };
  return {
    start: connect,
    send: (message) => socket?.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message)),
    dispose: () => {
      ended = true;
      window.clearTimeout(timer);
      socket?.close();
    },
  };
}
