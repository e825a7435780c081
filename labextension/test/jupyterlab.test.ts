/** The parts of the JupyterLab extension that draw nothing: which kernel is followed, which serve, starting one, and the figures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JupyterFrontEnd } from "@jupyterlab/application";
import { ServerConnection, type ServiceManager } from "@jupyterlab/services";
import { Signal } from "@lumino/signaling";
import { FollowedKernel } from "../src/following";
import { GatewayError, listServers, viewAddress } from "../src/gateway";
import { startServer } from "../src/steering";
import { line, Summary } from "../src/summary";
import type { ToView } from "../src/view/messages";
import type { Way, WayEvents } from "../src/view/way";
import { Workbench } from "../src/workbench";

type Fields = Record<string, unknown>;

/** A Jupyter server that answers so. */
function server(answer: () => Response, more: Fields = {}): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: "http://127.0.0.1:1/base/",
    wsUrl: "ws://127.0.0.1:1/base/",
    fetch: async () => answer(),
    ...more,
  });
}

function listing(...ids: string[]): Response {
  return Response.json({ kernels: ids.map((kernelId) => ({ kernelId, name: "n", notebook: null, since: 1, view: "/v" })) });
}

test("the address of a view carries the token only where JupyterLab appends it", () => {
  const plain = server(() => listing(), { token: "s&cret", appendToken: false });
  assert.equal(viewAddress(plain, "k-1"), "ws://127.0.0.1:1/base/mcp-workbench/kernels/k-1/view");
  const appended = server(() => listing(), { token: "s&cret", appendToken: true });
  assert.equal(viewAddress(appended, "k-1"), "ws://127.0.0.1:1/base/mcp-workbench/kernels/k-1/view?token=s%26cret");
  const none = server(() => listing(), { token: "", appendToken: true });
  assert.equal(viewAddress(none, "k-1"), "ws://127.0.0.1:1/base/mcp-workbench/kernels/k-1/view");
});

test("a server without the extension is told apart from one that fails and one that is not there", async () => {
  const refusal = async (answer: () => Response): Promise<GatewayError> => {
    const error = await listServers(server(answer)).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof GatewayError);
    return error;
  };
  const missing = await refusal(() => new Response("", { status: 404 }));
  assert.deepEqual(missing.commands.at(-1), "jupyter server extension enable mcp_workbench.gateway");
  assert.match((await refusal(() => new Response("", { status: 503, statusText: "Busy" }))).message, /answers 503 \(Busy\)/);
  const gone = await refusal(() => {
    throw new TypeError("refused");
  });
  assert.match(gone.message, /cannot be reached/);
  assert.deepEqual(gone.commands, []);
});

// --- a shell with notebooks ------------------------------------------------------------------------------------------

function notebook(kernelId: string | null, name = "a.ipynb"): Fields {
  const widget: Fields = {};
  const context: Fields = { name, session: kernelId === null ? null : { path: `folder/${name}`, kernel: { id: kernelId } } };
  for (const signal of ["kernelChanged", "propertyChanged", "statusChanged"]) {
    context[signal] = new Signal(context);
  }
  return Object.assign(widget, { sessionContext: context, disposed: new Signal(widget) });
}

class Shell {
  readonly currentChanged = new Signal<this, unknown>(this);
  currentWidget: unknown = null;

  show(widget: unknown): void {
    this.currentWidget = widget;
    this.currentChanged.emit(undefined);
  }
}

function followed(): { shell: Shell; kernel: FollowedKernel } {
  const shell = new Shell();
  return { shell, kernel: new FollowedKernel(shell as unknown as JupyterFrontEnd.IShell) };
}

test("the last notebook stays the followed one while something without a kernel is looked at, until it is closed", () => {
  const { shell, kernel } = followed();
  let changes = 0;
  kernel.changed.connect(() => changes++);
  assert.equal(kernel.kernelId, undefined);
  const first = notebook("k1");
  shell.show(first);
  shell.show({ a: "text file" });
  shell.show(null);
  assert.deepEqual([kernel.kernelId, kernel.path, kernel.title, changes], ["k1", "folder/a.ipynb", "a.ipynb", 1]);
  const second = notebook("k2", "b.ipynb");
  shell.show(second);
  assert.deepEqual([kernel.kernelId, changes], ["k2", 2]);
  (first.disposed as Signal<unknown, void>).emit();
  assert.deepEqual([kernel.kernelId, changes], ["k2", 2]);
  (second.disposed as Signal<unknown, void>).emit();
  assert.deepEqual([kernel.kernelId, changes], [undefined, 3]);
});

test("another kernel in the same notebook is a change, the end of a cell is a rest", () => {
  const { shell, kernel } = followed();
  const widget = notebook("k1");
  shell.show(widget);
  const seen: string[] = [];
  kernel.changed.connect(() => seen.push("changed"));
  kernel.rested.connect(() => seen.push("rested"));
  const context = widget.sessionContext as Record<string, Signal<unknown, unknown>>;
  context.kernelChanged?.emit({});
  context.statusChanged?.emit("busy");
  context.statusChanged?.emit("idle");
  assert.deepEqual(seen, ["changed", "rested"]);
});

// --- which serve -----------------------------------------------------------------------------------------------------

function services(
  answer: () => Response,
  reply: Fields = { status: "ok" },
  language = "python",
): { manager: ServiceManager.IManager; sent: Fields[] } {
  const sent: Fields[] = [];
  const kernel = {
    requestExecute: (content: Fields) => {
      sent.push(content);
      return { done: Promise.resolve({ content: reply }) };
    },
    dispose: () => sent.push({ disposed: true }),
  };
  const manager = {
    serverSettings: server(answer),
    ready: Promise.resolve(),
    kernelspecs: { specs: { kernelspecs: { spec: { language } } } },
    kernels: { running: () => [{ id: "k1", name: "spec", execution_state: "idle" }].values(), connectTo: () => kernel },
  };
  return { manager: manager as unknown as ServiceManager.IManager, sent };
}

test("a kernel is unknown, then silent, then serves, and that it has begun is told once", async () => {
  let ids: string[] = [];
  const { shell, kernel } = followed();
  const workbench = new Workbench(services(() => listing(...ids)).manager, kernel);
  const begun: string[] = [];
  workbench.started.connect((_, id) => begun.push(id));
  assert.equal(workbench.situation.kind, "noKernel");
  assert.equal(workbench.situationOf("k1").kind, "asking");
  await workbench.refresh();
  assert.equal(workbench.situationOf("k1").kind, "silent");
  ids = ["k1"];
  await workbench.refresh();
  await workbench.refresh();
  assert.equal(workbench.situationOf("k1").kind, "serving");
  assert.deepEqual(begun, ["k1"]);
  shell.show(notebook("k2"));
  assert.equal(workbench.situation.kind, "silent");
  workbench.dispose();
});

test("a kernel that served when the page was opened has not begun just now", async () => {
  const workbench = new Workbench(services(() => listing("k1")).manager, followed().kernel);
  workbench.started.connect(() => assert.fail("it ran before"));
  await workbench.refresh();
  assert.equal(workbench.situationOf("k1").kind, "serving");
});

test("a server that cannot be asked any more leaves what was known, and says so of the others", async () => {
  let answer = listing("k1");
  const workbench = new Workbench(services(() => answer).manager, followed().kernel);
  await workbench.refresh();
  answer = new Response("", { status: 500 });
  await workbench.refresh();
  assert.equal(workbench.situationOf("k1").kind, "serving");
  assert.equal(workbench.situationOf("k2").kind, "unreachable");
});

// --- starting --------------------------------------------------------------------------------------------------------

test("starting runs one silent line that binds no name, on a connection of its own", async () => {
  const { manager, sent } = services(() => listing());
  assert.equal(await startServer(manager, "k1"), undefined);
  assert.deepEqual(sent, [
    { code: '__import__("mcp_workbench").start()', silent: true, store_history: false, stop_on_error: false, allow_stdin: false },
    { disposed: true },
  ]);
});

test("what went wrong with starting is a sentence", async () => {
  const said = (reply: Fields, language?: string): Promise<string | undefined> =>
    startServer(services(() => listing(), reply, language).manager, "k1");
  const missing = { status: "error", ename: "ModuleNotFoundError", evalue: "No module named 'mcp_workbench'" };
  assert.match((await said(missing)) ?? "", /%pip install \/path\/to\/mcp_workbench/);
  assert.equal(await said({ status: "error", ename: "OSError", evalue: "port in use" }), "OSError: port in use");
  assert.match((await said({ status: "aborted" })) ?? "", /try again/);
  assert.match((await said({}, "R")) ?? "", /speaks R/);
  assert.match((await startServer(services(() => listing()).manager, "gone")) ?? "", /not run any more/);
});

test("what came of starting is kept for who shows that kernel, until it serves", async () => {
  let ids: string[] = [];
  const failing = services(() => listing(...ids), { status: "error", ename: "OSError", evalue: "port in use" });
  const workbench = new Workbench(failing.manager, followed().kernel);
  await workbench.refresh();
  await workbench.start("k1");
  assert.equal(workbench.saidOf("k1"), "OSError: port in use");
  ids = ["k1"];
  await workbench.refresh();
  assert.equal(workbench.saidOf("k1"), "");
});

class FakeWay implements Way {
  constructor(readonly kernelId: string) {}
  readonly sent: string[] = [];
  events: WayEvents | undefined;
  disposed = false;

  start(events: WayEvents): void {
    this.events = events;
  }

  send(message: { type: string; panels?: readonly string[] }): void {
    this.sent.push([message.type, ...(message.panels ?? [])].join(" "));
  }

  dispose(): void {
    this.disposed = true;
  }

  tell(...messages: Fields[]): void {
    for (const message of messages) {
      this.events?.received(message as unknown as ToView);
    }
  }
}

class FakeWorkbench {
  readonly changed = new Signal<this, void>(this);
  situation: Fields = { kind: "noKernel" };

  say(situation: Fields): void {
    this.situation = situation;
    this.changed.emit();
  }
}

function serving(since: number): Fields {
  return { kind: "serving", kernelId: "k1", server: { since, view: "/v" } };
}

test("a server that is being stopped serves no more, and one that could not be stopped still does", async () => {
  const { manager } = services(() => listing("k1"), { status: "error", ename: "OSError", evalue: "no" });
  const workbench = new Workbench(manager, followed().kernel);
  await workbench.refresh();
  const seen: string[] = [];
  workbench.changed.connect(() => seen.push(workbench.situationOf("k1").kind));
  await workbench.stop("k1");
  assert.equal(seen[0], "silent");
  assert.deepEqual([workbench.situationOf("k1").kind, workbench.saidOf("k1")], ["serving", "OSError: no"]);
});

test("the figures are those of the followed kernel, and end with it", () => {
  const ways: FakeWay[] = [];
  const workbench = new FakeWorkbench();
  const summary = new Summary(workbench as unknown as Workbench, (kernelId) => {
    const way = new FakeWay(kernelId);
    ways.push(way);
    return way;
  });
  assert.equal(summary.isServing, false);
  workbench.say(serving(1));
  const way = ways[0];
  assert.equal(way?.kernelId, "k1");
  way.events?.opened();
  assert.deepEqual(way.sent, ["open", "watch connect sessions running"]);
  way.tell(
    { type: "state", name: "n", calls: 10, connect: [{ client: "c", title: "C", what: "w", text: "t" }] },
    { type: "state", name: "n", calls: 40 },
    { type: "sessions", rows: [{ id: "s1" }, { id: "s2" }, { id: "s3", until: 5 }] },
    { type: "openCalls", rows: [{ key: "a" }, { key: "b", waits: "behind cell [9], running 4 s" }, { key: "c", waits: "news" }], more: 2 },
  );
  assert.deepEqual([summary.clients, summary.running, summary.waiting], [2, 3, 2]);
  assert.equal(summary.perSecond(Date.now()), 3);
  assert.equal(summary.perSecond(Date.now() + 60_000), 0);
  way.tell({ type: "sessions", gone: ["s1"] }, { type: "openCalls" });
  assert.deepEqual([summary.clients, summary.waiting], [1, 0]);
  workbench.say(serving(1));
  assert.equal(ways.length, 1);
  workbench.say(serving(2));
  assert.deepEqual([ways.length, way.disposed, summary.clients], [2, true, 0]);
  workbench.say({ kind: "noKernel" });
  assert.deepEqual([summary.isServing, ways[1]?.disposed, summary.connections], [false, true, []]);
});

test("the status line counts clients, calls and who waits, and leaves out what is nought", () => {
  assert.equal(line({ clients: 1, running: 0, waiting: 0, perSecond: () => 0 }, 0), "MCP: 1 client");
  assert.equal(
    line({ clients: 2, running: 2, waiting: 1, perSecond: () => 3.14 }, 0),
    "MCP: 2 clients · 3.1 calls/s · 2 running · 1 waiting",
  );
  assert.equal(line({ clients: 0, running: 0, waiting: 2, perSecond: () => 120.4 }, 0), "MCP: 0 clients · 120 calls/s · 2 waiting");
});
