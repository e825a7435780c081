/**
 * The JupyterLab extension: makes the parts and puts each in its place. Works in JupyterLab and, without panels in the main area, in
 * Notebook 7; the status bar, the palette, the menu bar and the layout's memory are used where there are any.
 */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { IMainMenu } from "@jupyterlab/mainmenu";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { Signal } from "@lumino/signaling";
import { Menu } from "@lumino/widgets";
import "./view/style.css";
import "../style/base.css";
import { addCommands, CommandIDs, type Parts } from "./commands";
import { FollowedKernel } from "./following";
import { viewWay } from "./gateway";
import { Panels } from "./panels";
import { Sidebar } from "./sidebar";
import { StatusItem } from "./status";
import { Summary } from "./summary";
import { IMcpWorkbench } from "./tokens";
import { panels } from "./view/panels/index";
import { Workbench } from "./workbench";

const ID = "mcp-workbench:plugin";

const plugin: JupyterFrontEndPlugin<IMcpWorkbench> = {
  id: ID,
  description: "Shows the MCP server of the kernel that you work with: its clients, calls and DataFrames.",
  autoStart: true,
  provides: IMcpWorkbench,
  optional: [ILabShell, ILayoutRestorer, ICommandPalette, IMainMenu, IStatusBar, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    mainMenu: IMainMenu | null,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
  ): IMcpWorkbench => {
    // The page of Notebook 7 holds one document and has no room for panels beside it.
    const parts = makeParts(app, labShell === null ? [] : panels.map(({ id }) => id));
    addCommands(app, parts);
    app.shell.add(parts.sidebar, "right", { rank: 900, type: "MCP" });
    restorer?.add(parts.sidebar, parts.sidebar.id);
    if (restorer !== null && labShell !== null) {
      parts.panels.restore(restorer);
    }
    if (palette !== null) {
      fillPalette(palette, parts.panelIds);
    }
    mainMenu?.addMenu(makeMenu(app, parts.panelIds), false, { rank: 700 });
    const status = statusBar === null ? undefined : addStatus(app, statusBar, parts.summary);
    if (settings !== null) {
      void followSettings(app, settings, parts, status);
    }
    return face(app, parts);
  },
};

export default plugin;

function makeParts(app: JupyterFrontEnd, panelIds: readonly string[]): Parts {
  const workbench = new Workbench(app.serviceManager, new FollowedKernel(app.shell));
  const summary = new Summary(workbench, (kernelId) => viewWay(app.serviceManager.serverSettings, kernelId));
  return { workbench, summary, sidebar: new Sidebar(workbench), panels: new Panels(app, workbench), panelIds };
}

function face(app: JupyterFrontEnd, { workbench }: Parts): IMcpWorkbench {
  const changed = new Signal<IMcpWorkbench, void>({} as IMcpWorkbench);
  workbench.changed.connect(() => changed.emit());
  return {
    get situation() {
      return workbench.situation;
    },
    changed,
    open: async (panel) => {
      await (panel === undefined ? app.commands.execute(CommandIDs.showSidebar) : app.commands.execute(CommandIDs.openPanel, { panel }));
    },
  };
}

const PLAIN = [CommandIDs.showSidebar, CommandIDs.startServer, CommandIDs.stopServer, CommandIDs.copyConnection, CommandIDs.reconnect];

function fillPalette(palette: ICommandPalette, panels: readonly string[]): void {
  for (const command of PLAIN) {
    palette.addItem({ command, args: { isPalette: true }, category: "MCP" });
  }
  for (const panel of panels) {
    palette.addItem({ command: CommandIDs.openPanel, args: { panel, isPalette: true }, category: "MCP" });
  }
}

function makeMenu({ commands }: JupyterFrontEnd, panels: readonly string[]): Menu {
  const menu = new Menu({ commands });
  menu.id = "mcp-workbench-menu";
  menu.title.label = "MCP";
  for (const command of PLAIN) {
    menu.addItem({ command });
  }
  for (const panel of panels) {
    menu.addItem({ command: CommandIDs.openPanel, args: { panel } });
  }
  return menu;
}

/** What the settings say of the status item. */
interface Status {
  wanted: boolean;
  readonly changed: Signal<unknown, void>;
}

function addStatus(app: JupyterFrontEnd, statusBar: IStatusBar, summary: Summary): Status {
  const changed = new Signal<unknown, void>(summary);
  const status = { wanted: true, changed };
  summary.changed.connect(() => changed.emit());
  statusBar.registerStatusItem("mcp-workbench:status", {
    item: new StatusItem(summary, () => void app.commands.execute(CommandIDs.showSidebar)),
    align: "left",
    rank: 100,
    isActive: () => status.wanted && summary.isServing,
    activeStateChanged: changed,
  });
  return status;
}

async function followSettings(app: JupyterFrontEnd, registry: ISettingRegistry, parts: Parts, status: Status | undefined): Promise<void> {
  // The layout that is restored would put the sidebar where it was.
  const [settings] = await Promise.all([registry.load(ID), app.restored]);
  let opens = false;
  const apply = (): void => {
    opens = settings.get("openSidebar").composite === true;
    const wanted = settings.get("side").composite === "left" ? "left" : "right";
    if (![...app.shell.widgets(wanted)].includes(parts.sidebar)) {
      app.shell.add(parts.sidebar, wanted, { rank: 900, type: "MCP" });
    }
    if (status !== undefined) {
      status.wanted = settings.get("statusBar").composite !== false;
      status.changed.emit();
    }
  };
  settings.changed.connect(apply);
  apply();
  parts.workbench.started.connect((_, kernelId) => {
    if (opens && kernelId === parts.workbench.followed.kernelId) {
      app.shell.activateById(parts.sidebar.id);
    }
  });
}
