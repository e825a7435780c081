/**
 * Which kernel the person works with: that of the notebook or console which was active last. Anything with a `sessionContext` counts,
 * so it needs no package of notebooks or consoles; it outlives a click on a panel or a text file.
 */
import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel } from "@jupyterlab/services";
import type { IDisposable } from "@lumino/disposable";
import { type ISignal, Signal } from "@lumino/signaling";
import type { Widget } from "@lumino/widgets";

export class FollowedKernel implements IDisposable {
  constructor(private readonly shell: JupyterFrontEnd.IShell) {
    shell.currentChanged?.connect(this.look, this);
    this.look();
  }

  /** It is another kernel, or none. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** It has finished a cell, or has started again. */
  get rested(): ISignal<this, void> {
    return this._rested;
  }

  get kernelId(): string | undefined {
    return this.context?.session?.kernel?.id;
  }

  /** Path of its notebook or console. */
  get path(): string | undefined {
    return this.context?.session?.path;
  }

  /** What people call it: the notebook's name. */
  get title(): string {
    return this.context?.name ?? "";
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private look(): void {
    const widget = this.shell.currentWidget;
    const context = sessionContextOf(widget);
    if (widget === null || context === undefined || context === this.context) {
      return;
    }
    this.leave();
    this.widget = widget;
    this.context = context;
    widget.disposed.connect(this.forget, this);
    context.kernelChanged.connect(this.tell, this);
    context.propertyChanged.connect(this.tell, this);
    context.statusChanged.connect(this.watch, this);
    this.tell();
  }

  private forget(): void {
    this.leave();
    this.tell();
  }

  private leave(): void {
    this.widget?.disposed.disconnect(this.forget, this);
    this.context?.kernelChanged.disconnect(this.tell, this);
    this.context?.propertyChanged.disconnect(this.tell, this);
    this.context?.statusChanged.disconnect(this.watch, this);
    this.widget = undefined;
    this.context = undefined;
  }

  private tell(): void {
    this._changed.emit();
  }

  private watch(_: ISessionContext, status: Kernel.Status): void {
    if (status === "idle" || status === "restarting" || status === "autorestarting" || status === "dead") {
      this._rested.emit();
    }
  }

  private widget: Widget | undefined;
  private context: ISessionContext | undefined;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _rested = new Signal<this, void>(this);
}

function sessionContextOf(widget: Widget | null): ISessionContext | undefined {
  const context = (widget as { sessionContext?: ISessionContext } | null)?.sessionContext;
  return context?.kernelChanged === undefined ? undefined : context;
}
