/**
 * What the Jupyter server's extension (`mcp_workbench.gateway`) offers: a list of the kernels that serve, and for each a WebSocket.
 * Knows the server's addresses and JupyterLab's rule for its token, and nothing of kernels or widgets.
 */
import { URLExt } from "@jupyterlab/coreutils";
import { ServerConnection } from "@jupyterlab/services";
import type { IServer } from "./tokens";
import type { Way } from "./view/way";
import { WebSocketWay } from "./view/ways/websocket";

/** The server did not tell; the message is a sentence for people. */
export class GatewayError extends Error {
  /** `commands`: what to type into a terminal to mend it. */
  constructor(
    sentence: string,
    readonly commands: readonly string[] = [],
  ) {
    super(sentence);
  }
}

/** A way to a kernel of this Jupyter server. */
export function viewWay(settings: ServerConnection.ISettings, kernelId: string): Way {
  return new WebSocketWay({ url: () => viewAddress(settings, kernelId) });
}

/** Where that way leads; asked anew for each connection. */
export function viewAddress(settings: ServerConnection.ISettings, kernelId: string): string {
  const address = URLExt.join(settings.wsUrl, "mcp-workbench/kernels", encodeURIComponent(kernelId), "view");
  return settings.appendToken && settings.token !== "" ? `${address}?token=${encodeURIComponent(settings.token)}` : address;
}

/** The kernels that serve; rejects with a `GatewayError`. */
export async function listServers(settings: ServerConnection.ISettings): Promise<IServer[]> {
  const response = await request(settings, URLExt.join(settings.baseUrl, "mcp-workbench/api/kernels"));
  if (response.status === 404) {
    throw new GatewayError(
      "The Jupyter server's part of mcp-workbench is missing or disabled. Run this in the environment that runs Jupyter, then start Jupyter again:",
      ["pip install /path/to/mcp_workbench", "jupyter server extension enable mcp_workbench.gateway"],
    );
  }
  if (!response.ok) {
    throw new GatewayError(
      `The Jupyter server answers ${response.status} (${response.statusText}) when asked which kernels serve; its log says more.`,
    );
  }
  return ((await response.json()) as { kernels: IServer[] }).kernels;
}

async function request(settings: ServerConnection.ISettings, address: string): Promise<Response> {
  try {
    return await ServerConnection.makeRequest(address, {}, settings);
  } catch (error) {
    throw new GatewayError(`The Jupyter server cannot be reached (${String(error)}); asking again.`);
  }
}
