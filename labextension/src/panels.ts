/**
 * One panel of one kernel in the main area. It belongs to a notebook or console by its path, and follows that one's kernel: so it comes
 * back after the page is loaded anew, and after the notebook has got another kernel.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from "@jupyterlab/application";
import { MainAreaWidget, WidgetTracker } from "@jupyterlab/apputils";
import { PanelLayout, Widget } from "@lumino/widgets";
import { CommandIDs } from "./commands";
import { icon } from "./icon";
import { KernelView } from "./kernelview";
import { Notice } from "./notice";
import { panels as kinds } from "./view/panels/index";
import type { Workbench } from "./workbench";

/** What a panel remembers of itself, and what the command that opens it takes. */
export interface PanelArgs {
  /** Id of one of `kinds`. */
  readonly panel: string;
  /** Path of the notebook or console. */
  readonly path: string;
}

/** The content of the main area's widget. */
export class NotebookPanel extends Widget {
  constructor(
    private readonly workbench: Workbench,
    readonly args: PanelArgs,
  ) {
    super();
    this.addClass("mcp-workbench-Panel");
    this.title.label = `${titleOf(args.panel)} · ${args.path.split("/").pop()}`;
    this.title.caption = `${titleOf(args.panel)} of ${args.path}`;
    this.title.icon = icon;
    this.title.closable = true;
    this.panels = this.layout = new PanelLayout();
    this.notice = new Notice(workbench);
    this.panels.addWidget(new Widget({ node: this.notice.node }));
    workbench.services.sessions.runningChanged.connect(this.look, this);
    this.attending = workbench.attend();
    this.look();
  }

  reconnect(): void {
    this.view?.reconnect();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.workbench.services.sessions.runningChanged.disconnect(this.look, this);
      this.attending.dispose();
      super.dispose();
    }
  }

  private look(): void {
    const session = [...this.workbench.services.sessions.running()].find((one) => one.path === this.args.path);
    const kernelId = session?.kernel?.id;
    if (kernelId !== this.view?.kernelId) {
      this.view?.dispose();
      this.view = undefined;
    }
    this.notice.node.hidden = true;
    if (kernelId === undefined) {
      this.notice.show({ kind: "noKernel" });
    } else if (this.view === undefined) {
      this.view = new KernelView(this.workbench, kernelId, { panel: this.args.panel });
      this.panels.addWidget(this.view);
    }
  }

  private readonly panels: PanelLayout;
  private readonly notice: Notice;
  private readonly attending: { dispose(): void };
  private view: KernelView | undefined;
}

/** The panels in the main area: opened once each, restored with the layout. */
export class Panels {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly workbench: Workbench,
  ) {}

  private readonly tracker = new WidgetTracker<MainAreaWidget<NotebookPanel>>({ namespace: "mcp-workbench" });

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this.tracker, {
      command: CommandIDs.openPanel,
      args: ({ content }) => ({ ...content.args }),
      name: ({ content }) => nameOf(content.args),
    });
  }

  async open(args: PanelArgs): Promise<void> {
    const widget = this.tracker.find(({ content }) => nameOf(content.args) === nameOf(args)) ?? (await this.create(args));
    this.app.shell.activateById(widget.id);
  }

  /** Connect each of them anew. */
  reconnect(): void {
    this.tracker.forEach(({ content }) => {
      content.reconnect();
    });
  }

  private async create(args: PanelArgs): Promise<MainAreaWidget<NotebookPanel>> {
    const widget = new MainAreaWidget({ content: new NotebookPanel(this.workbench, args) });
    widget.id = `mcp-workbench-${nameOf(args)}`;
    const other = this.tracker.currentWidget;
    // Beside the notebook, and all in one place: a place of its own for each would leave slivers of all.
    const place = other?.isAttached ? ({ mode: "tab-after", ref: other.id } as const) : ({ mode: "split-right" } as const);
    await this.tracker.add(widget);
    this.app.shell.add(widget, "main", { ...place, type: "MCP" });
    return widget;
  }
}

function nameOf({ panel, path }: PanelArgs): string {
  return `${panel}:${path}`;
}

function titleOf(panel: string): string {
  return kinds.find((one) => one.id === panel)?.title ?? panel;
}
