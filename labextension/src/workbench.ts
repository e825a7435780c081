/**
 * What is known of the kernels: which one is followed, which serve, and what came of starting one. The model behind the sidebar, the
 * panels and the status item; they draw when `changed` is emitted. It knows no widget and no message of a view.
 *
 * The Jupyter server is asked when another kernel is followed, after a start or stop, when a cell has ended (at most once a second),
 * and every ten seconds while somebody looks.
 */
import type { ServiceManager } from "@jupyterlab/services";
import { DisposableDelegate, type IDisposable } from "@lumino/disposable";
import { type ISignal, Signal } from "@lumino/signaling";
import type { FollowedKernel } from "./following";
import { GatewayError, listServers } from "./gateway";
import { isBusy, startServer, stopServer } from "./steering";
import type { IServer, Situation } from "./tokens";

const ASK_EVERY_MS = 10_000;
const REST_MS = 1_000;

export class Workbench implements IDisposable {
  constructor(
    readonly services: ServiceManager.IManager,
    readonly followed: FollowedKernel,
  ) {
    followed.changed.connect(this.onFollowed, this);
    followed.rested.connect(this.onRested, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A kernel that did not serve does now; its id. */
  get started(): ISignal<this, string> {
    return this._started;
  }

  get situation(): Situation {
    return this.situationOf(this.followed.kernelId);
  }

  situationOf(kernelId: string | undefined): Situation {
    if (kernelId === undefined) {
      return { kind: "noKernel" };
    }
    const server = this.stopping.has(kernelId) ? undefined : this.servers?.get(kernelId);
    if (server !== undefined) {
      return { kind: "serving", kernelId, server };
    }
    if (this.error !== undefined) {
      return { kind: "unreachable", sentence: this.error.message, commands: this.error.commands };
    }
    return { kind: this.servers === undefined ? "asking" : "silent", kernelId };
  }

  /** What is to be said of starting or stopping this kernel's server; empty: nothing. */
  saidOf(kernelId: string): string {
    return this.said.get(kernelId) ?? "";
  }

  /** Ask the Jupyter server. */
  async refresh(): Promise<void> {
    const before = this.servers;
    const asked = ++this.asked;
    try {
      const servers = await listServers(this.services.serverSettings);
      if (asked < this.answered) {
        return; // A later question was answered before: this tells of how it was.
      }
      this.answered = asked;
      this.servers = new Map(servers.map((server) => [server.kernelId, server]));
      this.error = undefined;
    } catch (error) {
      this.error =
        error instanceof GatewayError ? error : new GatewayError(`The Jupyter server's answer is not understood: ${String(error)}`);
    }
    if (this.isDisposed) {
      return;
    }
    const news = [...(this.servers?.keys() ?? [])].filter((id) => before !== undefined && !before.has(id));
    for (const id of news) {
      this.said.delete(id);
    }
    this._changed.emit();
    for (const id of news) {
      this._started.emit(id);
    }
  }

  /** Start the server of a kernel; `saidOf` tells why it does not run. */
  async start(kernelId: string): Promise<void> {
    await this.steer(kernelId, "The server starts", startServer);
  }

  async stop(kernelId: string): Promise<void> {
    // From now on its views do not knock again.
    this.stopping.add(kernelId);
    await this.steer(kernelId, "The server stops", stopServer);
    this.stopping.delete(kernelId);
    this._changed.emit();
  }

  /** Ask every ten seconds until what is returned is disposed of. */
  attend(): IDisposable {
    void this.refresh();
    const timer = setInterval(() => void this.refresh(), ASK_EVERY_MS);
    return new DisposableDelegate(() => clearInterval(timer));
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this.resting);
    Signal.clearData(this);
  }

  private async steer(kernelId: string, what: string, run: typeof startServer): Promise<void> {
    this.say(kernelId, isBusy(this.services, kernelId) ? `${what} as soon as the running cell has ended.` : `${what} …`);
    const complaint = await run(this.services, kernelId);
    this.say(kernelId, complaint ?? "");
    await this.refresh();
  }

  private say(kernelId: string, sentence: string): void {
    this.said.set(kernelId, sentence);
    this._changed.emit();
  }

  private onFollowed(): void {
    this._changed.emit();
    void this.refresh();
  }

  private onRested(): void {
    if (this.error !== undefined || this.resting !== undefined) {
      return;
    }
    // Not for every one of the cells of "Run all".
    this.resting = setTimeout(() => {
      this.resting = undefined;
      void this.refresh();
    }, REST_MS);
  }

  private servers: ReadonlyMap<string, IServer> | undefined;
  private asked = 0;
  private answered = 0;
  private error: GatewayError | undefined;
  private readonly stopping = new Set<string>();
  private readonly said = new Map<string, string>();
  private resting: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _started = new Signal<this, string>(this);
}
