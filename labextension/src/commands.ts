/**
 * The commands, by ids that other extensions and shortcuts may use. All act on the followed kernel.
 */
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Clipboard, Dialog, InputDialog, Notification, showDialog } from "@jupyterlab/apputils";
import type { ReadonlyPartialJSONObject } from "@lumino/coreutils";
import type { Panels } from "./panels";
import type { Sidebar } from "./sidebar";
import type { Summary } from "./summary";
import { panels as kinds } from "./view/panels/index";
import type { Workbench } from "./workbench";

export const CommandIDs = {
  showSidebar: "mcp-workbench:show-sidebar",
  startServer: "mcp-workbench:start-server",
  stopServer: "mcp-workbench:stop-server",
  /** `client`: as in `wb.config(client)`; without it, it asks. */
  copyConnection: "mcp-workbench:copy-connection",
  /** `panel`: its id; `path`: of a notebook, else that of the followed kernel. Where there is no such panel the sidebar is shown. */
  openPanel: "mcp-workbench:open-panel",
  reconnect: "mcp-workbench:reconnect-view",
} as const;

/** What the commands act on. */
export interface Parts {
  readonly workbench: Workbench;
  readonly summary: Summary;
  readonly sidebar: Sidebar;
  readonly panels: Panels;
  /** Ids of the panels that the main area has room for. */
  readonly panelIds: readonly string[];
}

/** Add all commands to the application. */
export function addCommands({ commands, shell }: JupyterFrontEnd, parts: Parts): void {
  const { workbench, summary, sidebar, panels } = parts;
  commands.addCommand(CommandIDs.showSidebar, {
    label: inPalette("Show the sidebar", "Show the MCP sidebar"),
    execute: () => shell.activateById(sidebar.id),
  });
  commands.addCommand(CommandIDs.startServer, {
    label: inPalette("Start the server of this kernel", "Start the MCP server of this kernel"),
    isEnabled: () => workbench.followed.kernelId !== undefined && workbench.situation.kind !== "serving",
    execute: async () => {
      shell.activateById(sidebar.id);
      await start(workbench);
    },
  });
  commands.addCommand(CommandIDs.stopServer, {
    label: inPalette("Stop the server of this kernel", "Stop the MCP server of this kernel"),
    isEnabled: () => workbench.situation.kind === "serving",
    execute: () => stop(parts),
  });
  commands.addCommand(CommandIDs.copyConnection, {
    label: inPalette("Copy how to connect a client …", "Copy how to connect a client …"),
    isEnabled: () => summary.connections.length > 0,
    execute: (args) => copyConnection(summary, args),
  });
  commands.addCommand(CommandIDs.openPanel, {
    label: (args) => `${args.isPalette ? "MCP: " : ""}Open the panel ${kinds.find((one) => one.id === args.panel)?.title ?? "…"}`,
    isEnabled: (args) => typeof args.path === "string" || workbench.followed.path !== undefined,
    execute: async (args) => {
      const { panel, path = workbench.followed.path } = args;
      if (typeof panel === "string" && parts.panelIds.includes(panel) && typeof path === "string") {
        await panels.open({ panel, path });
      } else {
        shell.activateById(sidebar.id);
      }
    },
  });
  commands.addCommand(CommandIDs.reconnect, {
    label: inPalette("Connect the views anew", "Connect the MCP views anew"),
    execute: async () => {
      summary.reconnect();
      sidebar.current?.reconnect();
      panels.reconnect();
      await workbench.refresh();
    },
  });
  workbench.changed.connect(() => commands.notifyCommandChanged());
  summary.changed.connect(() => commands.notifyCommandChanged(CommandIDs.copyConnection));
}

/** A label that in the palette, among those of all others, begins with `MCP:`. */
function inPalette(there: string, elsewhere: string) {
  return (args: ReadonlyPartialJSONObject) => (args.isPalette ? `MCP: ${there}` : elsewhere);
}

async function start(workbench: Workbench): Promise<void> {
  const { kernelId } = workbench.followed;
  if (kernelId !== undefined) {
    await workbench.start(kernelId);
    tell(workbench.saidOf(kernelId));
  }
}

async function stop({ workbench, summary }: Parts): Promise<void> {
  const { kernelId } = workbench.followed;
  if (kernelId === undefined || (summary.clients > 0 && !(await confirmStop(summary.clients)))) {
    return;
  }
  await workbench.stop(kernelId);
  tell(workbench.saidOf(kernelId));
}

async function confirmStop(clients: number): Promise<boolean> {
  const { button } = await showDialog({
    title: "Stop the MCP server?",
    body: clients === 1 ? "One client is connected; its calls end with it." : `${clients} clients are connected; their calls end with it.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: "Stop" })],
  });
  return button.accept;
}

async function copyConnection(summary: Summary, args: ReadonlyPartialJSONObject): Promise<void> {
  const { connections } = summary;
  if (connections.length === 0) {
    tell("This kernel has not told yet how clients connect to it: start its server, or try again.");
    return;
  }
  const titles = connections.map(({ title }) => title);
  const wanted =
    connections.find(({ client }) => client === args.client)?.title ??
    (await InputDialog.getItem({ title: "Copy how to connect", items: titles, okLabel: "Copy" })).value;
  const snippet = connections.find(({ title }) => title === wanted);
  if (snippet !== undefined) {
    Clipboard.copyToSystem(snippet.text);
    Notification.success(plain([snippet.what, snippet.then].filter(Boolean).join(" ")), { autoClose: 8_000 });
  }
}

/** Notifications know no code: what stands between backticks is quoted. */
function plain(sentence: string): string {
  return sentence.replace(/`([^`]*)`/g, "“$1”");
}

function tell(sentence: string): void {
  if (sentence !== "") {
    Notification.warning(sentence, { autoClose: false });
  }
}
