/** The page of its own: one view over the kernel's own WebSocket, which lets it in by the cookie that came with the page. */
import { inLine } from "./view/dom";
import { mountView } from "./view/shell";
import "./view/style.css";
import { WebSocketWay } from "./view/ways/websocket";

function viewUrl(): string {
  const url = new URL(location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/$/, "")}/view`;
  url.search = url.hash = "";
  return url.href;
}

function remember(key: string, value?: string): string | undefined {
  try {
    if (value !== undefined) sessionStorage.setItem(`mcpw.${key}`, value);
    return sessionStorage.getItem(`mcpw.${key}`) ?? undefined;
  } catch {
    return value; // A browser that keeps nothing.
  }
}

const panel = new URLSearchParams(location.search).get("panel") ?? document.documentElement.dataset.panel;
const host = document.createElement("div");
host.className = "mcpw-page";
document.body.append(host);
mountView(host, new WebSocketWay({ url: viewUrl }), {
  ...(panel ? { panel } : {}),
  remember,
  named: (name) => {
    document.title = `${inLine(name, 80)} · mcp_workbench`;
  },
});
