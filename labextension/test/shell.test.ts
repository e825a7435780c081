import assert from "node:assert/strict";
import test from "node:test";
import type { ToView } from "../src/view/messages";
import type { Link, Panel, PanelKind } from "../src/view/panel";
import { mountView, type ViewOptions } from "../src/view/shell";
import { byId, click, press, settled } from "./document";
import { FakeWay } from "./kernel";

class FakePanel implements Panel {
  readonly element = document.createElement("div");
  log: unknown[] = [];
  constructor(readonly link: Link) {}
  take(message: ToView): void {
    this.log.push(message.type);
  }
  shown(visible: boolean): void {
    this.log.push(visible);
  }
  wish(wish: Readonly<Record<string, string>>): void {
    this.log.push(wish);
  }
  heard(live: boolean): void {
    if (live || this.log.length) this.log.push(live ? "heard" : "heard no more");
  }
  reset(): void {
    this.log.push("reset");
  }
  dispose(): void {
    this.log.push("disposed");
  }
}

function view(options: ViewOptions = {}) {
  const made: Record<string, FakePanel> = {};
  const kind = (id: string): PanelKind => ({
    id,
    title: id,
    watches: [id],
    create: (link) => {
      const panel = new FakePanel(link);
      made[id] = panel;
      return panel;
    },
  });
  const way = new FakeWay();
  const host = document.createElement("div");
  document.body.replaceChildren(host);
  const mounted = mountView(host, way, { panels: ["connect", "calls", "latency"].map(kind), ...options });
  const panel = (id: string) => made[id] as FakePanel;
  return {
    host,
    way,
    mounted,
    panel,
    state: () => (byId(host, "mcpw") as HTMLElement).dataset.state,
    tab: (id: string) => byId(host, `tab-${id}`),
  };
}

test("it says how the connection stands", () => {
  const { way, host, state } = view();
  assert.equal(state(), "connecting");
  way.greet();
  assert.deepEqual([state(), byId(host, "sentence").textContent], ["live", "live"]);
  way.events?.changed("lost", "connection lost; trying again in 4 s");
  assert.deepEqual([state(), byId(host, "sentence").textContent], ["lost", "connection lost; trying again in 4 s"]);
});

test("a version that does not fit is said with a command to copy", () => {
  const { way, host, state } = view();
  way.events?.opened();
  way.say({ type: "refused", sentence: "upgrade the kernel", command: "%pip install -U mcp-workbench" });
  assert.equal(state(), "refused");
  assert.match(host.textContent ?? "", /upgrade the kernel%pip install -U mcp-workbenchCopy/);
  way.greet();
  assert.equal(host.querySelector("[data-testid=remedy-copy]"), null);
});

test("one panel is visible at a time, and only that is watched", () => {
  const { way, panel, tab } = view();
  way.greet();
  assert.deepEqual(way.last("watch").panels, ["connect", "sessions"]);
  click(tab("calls"));
  assert.deepEqual(way.last("watch").panels, ["connect", "sessions", "calls"]);
  assert.deepEqual([panel("connect").element.hidden, panel("calls").element.hidden], [true, false]);
  assert.deepEqual(panel("calls").log, ["heard", "hello", true]);
  way.say({ type: "state", name: "n" });
  assert.deepEqual(panel("calls").log, ["heard", "hello", true, "reset", "state"]);
  assert.ok(panel("connect").log.includes(false));
  way.events?.changed("lost", "connection lost");
  way.events?.changed("connecting", "connecting");
  assert.deepEqual(panel("calls").log.slice(5), ["heard no more"], "and stays as it was last");
});

test("what a panel wants beside its own is watched while it is visible", () => {
  const { way, panel, tab } = view();
  way.greet();
  panel("latency").link.watch({ heatmap: "", histograms: [{ tool: "f", phase: "run" }] });
  assert.equal(way.last("watch").heatmap, undefined);
  click(tab("latency"));
  assert.deepEqual(way.last("watch").histograms, [{ tool: "f", phase: "run" }]);
  click(tab("connect"));
  assert.deepEqual(way.last("watch").histograms, []);
});

test("tabs are walked with arrows, and tell which is chosen", () => {
  const { tab } = view();
  press(tab("connect"), "ArrowLeft");
  assert.deepEqual([tab("latency").getAttribute("aria-selected"), tab("latency").tabIndex, tab("connect").tabIndex], ["true", 0, -1]);
  press(tab("latency"), "ArrowRight");
  assert.equal(tab("connect").getAttribute("aria-selected"), "true");
  press(tab("connect"), "End");
  assert.equal(tab("latency").getAttribute("aria-selected"), "true");
});

test("one panel alone has no tabs", () => {
  const { host, panel } = view({ panel: "latency" });
  assert.equal(byId(host, "tabs").hidden, true);
  assert.deepEqual([panel("latency").element.hidden, panel("calls").element.hidden], [false, true]);
});

test("from one panel alone a link leads to another, which then has a tab beside it", () => {
  const kept = new Map<string, string>();
  const remember = (key: string, value?: string) => {
    if (value !== undefined) kept.set(key, value);
    return kept.get(key);
  };
  const { host, panel, tab } = view({ panel: "latency", remember });
  panel("latency").link.go("calls", { tool: "f" });
  assert.deepEqual([byId(host, "tabs").hidden, tab("calls").hidden, tab("connect").hidden], [false, false, true]);
  assert.deepEqual([panel("calls").element.hidden, panel("calls").log], [false, [true, { tool: "f" }]]);
  press(tab("calls"), "ArrowRight");
  assert.equal(tab("latency").getAttribute("aria-selected"), "true", "tabs that are not there are passed over");
  assert.equal(kept.get("panel"), undefined, "which panel is chosen is told to no other view");
});

test("the panel that was visible is remembered", () => {
  const kept = new Map([["panel", "calls"]]);
  const remember = (key: string, value?: string) => {
    if (value !== undefined) kept.set(key, value);
    return kept.get(key);
  };
  const { tab } = view({ remember });
  assert.equal(tab("calls").getAttribute("aria-selected"), "true");
  click(tab("latency"));
  assert.equal(kept.get("panel"), "latency");
});

test("a panel can send people to another, with a wish", async () => {
  const { panel } = view();
  panel("connect").link.go("calls", { session: "s3" });
  panel("connect").link.go("nowhere");
  await settled();
  assert.deepEqual(panel("calls").log, [true, { session: "s3" }]);
});

test("the name and the open sessions are in the frame", () => {
  const names: string[] = [];
  const { way, host } = view({ named: (name) => names.push(name) });
  way.greet();
  way.say({ type: "state", name: "flights\u202e" });
  assert.deepEqual([byId(host, "name").textContent, names], ["flights\\u202e", ["flights\u202e"]]);
});

test("disposed, nothing is left", () => {
  const { host, way, mounted, panel } = view();
  mounted.dispose();
  assert.deepEqual([host.childElementCount, way.disposed, panel("connect").log.slice(-2)], [0, true, [false, "disposed"]]);
});
