/** What is said where view and kernel come from two environments. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, misfit, type Standing } from "../src/view/client";
import { type ToView, VERSION, VIEW_PROTOCOL } from "../src/view/messages";
import type { WayEvents } from "../src/view/way";

function toldOf(...messages: ToView[]): Standing {
  let events: WayEvents | undefined;
  const way = {
    start: (all: WayEvents) => {
      events = all;
    },
    send: () => {},
    dispose: () => {},
  };
  const client = new Client(way, { reset: () => {}, received: () => {}, changed: () => {} });
  client.start();
  events?.opened();
  for (const message of messages) events?.received(message);
  return client.standing;
}

const hello = (viewProtocol: number, version: string): ToView => ({ type: "hello", viewProtocol, version, now: 1 });

test("another version that speaks the same is told quietly", () => {
  assert.deepEqual(toldOf(hello(VIEW_PROTOCOL, VERSION)), { state: "live", sentence: "live" });
  const { state, sentence } = toldOf(hello(VIEW_PROTOCOL, "0.0.9"));
  assert.deepEqual([state, sentence], ["live", `live; mcp_workbench 0.0.9 in the kernel, ${VERSION} in this view`]);
});

test("a kernel that refuses too does not take the place of what the view says, which is where to type what", () => {
  const refused: ToView = { type: "refused", sentence: "the kernel is older", command: "pip install -U mcp-workbench" };
  assert.deepEqual(toldOf(hello(VIEW_PROTOCOL - 1, "0.0.9"), refused), misfit(VIEW_PROTOCOL - 1, "0.0.9"));
});
