/** The key of the page of its own: taken out of the address at once, kept for the window, shown on the WebSocket. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SilentWay, takeKey } from "../src/pagekey";
import { WebSocketWay } from "../src/view/ways/websocket";

const KEY = "abcdefghijklmnopqrstuvwxyz_-0123456789ABCDE";

class Tab {
  readonly addresses: string[] = [];
  private kept: string | undefined;

  take(hash: string, search = ""): string | undefined {
    return takeKey(
      { hash, pathname: "/panel/", search },
      { replaceState: (_state, _title, address) => void this.addresses.push(String(address)) },
      (name, value) => {
        assert.equal(name, "key");
        this.kept = value ?? this.kept;
        return this.kept;
      },
    );
  }
}

test("a key is taken out of the address and found again after a reload", () => {
  const tab = new Tab();
  assert.equal(tab.take(`#${KEY}`, "?panel=calls"), KEY);
  assert.deepEqual(tab.addresses, ["/panel/?panel=calls"]);
  assert.equal(tab.take(""), KEY);
  assert.deepEqual(tab.addresses, ["/panel/?panel=calls"]);
});

test("what is no key is taken out too, and takes no key's place", () => {
  const tab = new Tab();
  assert.equal(tab.take("#calls"), undefined);
  tab.take(`#${KEY}`);
  for (const wrong of [`#${KEY}x`, `#${KEY.slice(1)}`, `#${KEY.slice(1)},`, "#"]) assert.equal(tab.take(wrong), KEY);
  assert.ok(tab.addresses.every((address) => address === "/panel/"));
});

test("a new link's key takes the place of the old one", () => {
  const tab = new Tab();
  tab.take(`#${KEY}`);
  assert.equal(tab.take(`#${KEY.toLowerCase()}`), KEY.toLowerCase());
});

test("a way that leads nowhere says why, and nothing else", () => {
  const said: string[] = [];
  new SilentWay("this window wants a link of its own").start({
    opened: () => said.push("opened"),
    received: () => said.push("received"),
    changed: (...change) => said.push(...change),
  });
  assert.deepEqual(said, ["refused", "this window wants a link of its own"]);
});

test("the key is offered among the subprotocols, and stands in no address", (t) => {
  const opened: unknown[][] = [];
  class Recorded {
    constructor(...given: unknown[]) {
      opened.push(given);
    }
    close(): void {}
  }
  const before = globalThis.WebSocket;
  t.after(() => Object.assign(globalThis, { WebSocket: before }));
  Object.assign(globalThis, { WebSocket: Recorded });
  for (const protocols of [[`key.${KEY}`], undefined]) {
    const way = new WebSocketWay({ url: () => "ws://x/panel/view", ...(protocols ? { protocols } : {}) });
    way.start({ opened: () => {}, received: () => {}, changed: () => {} });
    way.dispose();
  }
  assert.deepEqual(opened, [
    ["ws://x/panel/view", ["mcp-workbench-view", `key.${KEY}`]],
    ["ws://x/panel/view", ["mcp-workbench-view"]],
  ]);
});
