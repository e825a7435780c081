/** The page of its own: one view over the kernel's own WebSocket, which lets it in by the cookie and the key that came with the page. */
import { SilentWay, takeKey } from "./pagekey";
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

const NEW_LINK =
  "the server was started anew, so this page wants a new link: run wb.show(browser=True), or mcp-workbench panel in a terminal";
const GONE = "the server has ended: wb.start() in a cell starts it, wb.show(browser=True) then gives a new link";

const OWN_LINK = "this window wants a link of its own: run wb.show(browser=True), or mcp-workbench panel in a terminal";

/** Of a WebSocket a browser does not tell why it did not open; of the page beside it, it does. */
async function explain(): Promise<string | undefined> {
  try {
    const { status } = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    if (status === 403) return NEW_LINK;
    return status === 200 ? OWN_LINK : undefined; // This browser is let in, and its key is another one.
  } catch {
    return GONE;
  }
}

const title = { name: "", mark: "" };

/** What is seen of the page while another one is in front of it. */
function setTitle(change: Partial<typeof title>): void {
  Object.assign(title, change);
  document.title = [title.mark, title.name, title.name && "·", "mcp_workbench"].filter(Boolean).join(" ");
}

const panel = new URLSearchParams(location.search).get("panel") ?? document.documentElement.dataset.panel;
const host = document.createElement("div");
host.className = "mcpw-page";
document.body.append(host);
const key = takeKey(location, history, remember);
const way = key ? new WebSocketWay({ url: viewUrl, protocols: [`key.${key}`], explain }) : new SilentWay(OWN_LINK);
mountView(host, way, {
  ...(panel ? { panel } : {}),
  remember,
  named: (name) => setTitle({ name: inLine(name, 80) }),
  stands: (state, running) => setTitle({ mark: state === "lost" || state === "refused" ? "✕" : running ? `(${running})` : "" }),
});
