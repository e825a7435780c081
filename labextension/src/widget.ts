/**
 * The view in a cell, as an anywidget: over Jupyter's own server where there is one with the gateway, else over the widget's comm. It
 * reads the traits `kernel_id` and `panel`.
 */
import { mountView } from "./view/shell";
import "./view/style.css";
import type { Way } from "./view/way";
import { CommWay, type Model } from "./view/ways/comm";
import { FirstWay } from "./view/ways/first";
import { WebSocketWay } from "./view/ways/websocket";

interface PageConfig {
  baseUrl?: string;
  wsUrl?: string;
  token?: string;
}

/** Where the gateway of the Jupyter that shows this page is; undefined: there is none, as in VS Code. */
export function gatewayUrl(config: PageConfig | undefined, kernelId: string, page: string): string | undefined {
  const base = config?.wsUrl || config?.baseUrl;
  if (!base || !kernelId) return undefined;
  const url = new URL(base, page);
  const elsewhere = url.host !== new URL(page).host;
  url.protocol = url.protocol === "https:" || url.protocol === "wss:" ? "wss:" : "ws:";
  url.pathname = `${url.pathname.replace(/\/$/, "")}/mcp-workbench/kernels/${encodeURIComponent(kernelId)}/view`;
  // As JupyterLab does: on its own host the cookie is enough.
  if (elsewhere && config?.token) url.searchParams.set("token", config.token);
  return url.href;
}

function pageConfig(): PageConfig | undefined {
  const text = document.getElementById("jupyter-config-data")?.textContent;
  return text ? JSON.parse(text) : undefined;
}

function wayOf(model: Model): Way {
  const url = gatewayUrl(pageConfig(), String(model.get("kernel_id") ?? ""), location.href);
  const comm = () => new CommWay(model);
  return url ? new FirstWay(() => new WebSocketWay({ url: () => url }), comm) : comm();
}

/** The saved state below, `.mcpw-static-<id>`, is hidden while the kernel answers: a saved notebook's widget must not hide it. */
function hiding(way: Way, el: HTMLElement, staticId: string): Way {
  const style = document.createElement("style");
  if (/^[0-9a-f]+$/.test(staticId)) style.textContent = `.mcpw-static-${staticId} { display: none }`;
  return {
    start: (events) =>
      way.start({
        opened: () => events.opened(),
        received: (message) => {
          if (message.type === "hello") el.append(style);
          events.received(message);
        },
        changed: (state, sentence) => {
          if (state === "lost" || state === "refused") style.remove();
          events.changed(state, sentence);
        },
      }),
    send: (message) => way.send(message),
    dispose: () => {
      style.remove();
      way.dispose();
    },
  };
}

/** Settings outlive the cell being run again, not the page's window. */
function rememberAs(prefix: string): (key: string, value?: string) => string | undefined {
  return (key, value) => {
    try {
      if (value !== undefined) sessionStorage.setItem(`${prefix}.${key}`, value);
      return sessionStorage.getItem(`${prefix}.${key}`) ?? undefined;
    } catch {
      return value; // A browser that keeps nothing.
    }
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  el.classList.add("mcpw-cell");
  const panel = String(model.get("panel") ?? "");
  const remember = rememberAs(`mcpw.${String(model.get("kernel_id") ?? "")}`);
  const way = hiding(wayOf(model), el, String(model.get("static_id") ?? ""));
  const view = mountView(el, way, { remember, ...(panel ? { panel } : {}) });
  return () => view.dispose();
}

export default { render };
