/**
 * The sidebar: the view of the followed kernel under the name of its notebook. Views of the kernels before stay connected, so that
 * going back and forth between notebooks shows at once what happened meanwhile.
 */
import type { IDisposable } from "@lumino/disposable";
import { PanelLayout, Widget } from "@lumino/widgets";
import { icon } from "./icon";
import { KernelView } from "./kernelview";
import { Notice } from "./notice";
import type { Workbench } from "./workbench";

/** How many views stay connected, the visible one included. */
const KEPT = 3;

export class Sidebar extends Widget {
  constructor(private readonly workbench: Workbench) {
    super();
    this.id = "mcp-workbench";
    this.addClass("mcp-workbench-Sidebar");
    this.title.icon = icon;
    this.title.caption = "MCP: who calls this kernel";
    this.title.label = "";
    this.panels = this.layout = new PanelLayout();
    this.notice = new Notice(workbench);
    this.panels.addWidget(new Widget({ node: this.heading }));
    this.panels.addWidget(new Widget({ node: this.notice.node }));
    this.heading.className = "mcp-workbench-heading";
    workbench.changed.connect(this.look, this);
    this.look();
  }

  /** The view that is shown. */
  get current(): KernelView | undefined {
    const kernelId = this.workbench.followed.kernelId;
    return kernelId === undefined ? undefined : this.views.get(kernelId);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.workbench.changed.disconnect(this.look, this);
      this.attending?.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(): void {
    this.attending ??= this.workbench.attend();
    this.look();
  }

  protected override onAfterHide(): void {
    this.attending?.dispose();
    this.attending = undefined;
  }

  private look(): void {
    const { kernelId, title } = this.workbench.followed;
    this.heading.textContent = kernelId === undefined ? "MCP" : `MCP · ${title}`;
    this.heading.title = this.workbench.followed.path ?? "";
    this.notice.node.hidden = true;
    if (kernelId === undefined) {
      this.notice.show(this.workbench.situation);
    } else if (this.isVisible) {
      this.bringForward(kernelId);
    }
    for (const view of this.views.values()) {
      view.setHidden(view.kernelId !== kernelId);
    }
  }

  private bringForward(kernelId: string): void {
    const view = this.views.get(kernelId) ?? new KernelView(this.workbench, kernelId, { compact: true });
    this.views.delete(kernelId);
    this.views.set(kernelId, view);
    if (view.parent === null) {
      this.panels.addWidget(view);
    }
    for (const [oldest, left] of this.views) {
      if (this.views.size <= KEPT) {
        break;
      }
      this.views.delete(oldest);
      left.dispose();
    }
  }

  private readonly heading = document.createElement("div");
  private readonly notice: Notice;
  private readonly panels: PanelLayout;
  /** The one shown latest is the last. */
  private readonly views = new Map<string, KernelView>();
  private attending: IDisposable | undefined;
}
