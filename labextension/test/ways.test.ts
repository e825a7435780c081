import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { ToView } from "../src/view/messages";
import type { WayState } from "../src/view/way";
import { CommWay } from "../src/view/ways/comm";
import { FirstWay } from "../src/view/ways/first";
import { pause, type Socket, WebSocketWay } from "../src/view/ways/websocket";
import { FakeWay } from "./kernel";

const HELLO: ToView = { type: "hello", viewProtocol: 1, version: "0.1.0", now: 1 };

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  sent: string[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.closed = true;
  }
  fail(reason = ""): void {
    this.onclose?.({ code: 1006, reason });
  }
  open(): void {
    this.onopen?.({} as never);
  }
}

function events() {
  const log = { opened: 0, received: [] as ToView[], changes: [] as [WayState, string][] };
  return {
    log,
    events: {
      opened: () => void log.opened++,
      received: (message: ToView) => void log.received.push(message),
      changed: (state: WayState, sentence: string) => void log.changes.push([state, sentence]),
    },
  };
}

function websocket() {
  const sockets: FakeSocket[] = [];
  const open = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket;
  };
  return { sockets, way: new WebSocketWay({ url: () => "ws://localhost/view", open, random: () => 0.5 }) };
}

/** In small steps: a timer that is set by another begins at the end of a step. */
function pass(t: TestContext, ms: number): void {
  for (let left = ms; left > 0; left -= 10) t.mock.timers.tick(Math.min(left, 10));
}

const last = <One>(many: readonly One[]): One => many.at(-1) as One;

test("pauses double from half a second to ten", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 60].map((failures) => pause(failures, false)),
    [0.5, 1, 2, 4, 8, 10, 10],
  );
  assert.equal(pause(3, true), 60);
});

test("a lost connection is made again, and counts down to it", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, way } = websocket();
  const { log, events: told } = events();
  way.start(told);
  last(sockets).open();
  way.send({ type: "stop", id: 1, key: "a" });
  last(sockets).onmessage?.({ data: JSON.stringify(HELLO) });
  assert.deepEqual([log.opened, log.received, sockets[0]?.sent.length], [1, [HELLO], 1]);
  for (const wait of [500, 1_000, 2_000]) {
    last(sockets).fail("going away");
    const before = sockets.length;
    assert.match(last(log.changes)[1], /lost \(going away\); trying again in [12] s/);
    pass(t, wait - 1);
    assert.equal(sockets.length, before);
    pass(t, 1);
    assert.equal(sockets.length, before + 1);
  }
  assert.ok(
    log.changes.some(([, sentence]) => sentence.endsWith("in 2 s")) && log.changes.some(([, sentence]) => sentence.endsWith("in 1 s")),
  );
});

test("after a hello the pauses begin anew", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, way } = websocket();
  way.start(events().events);
  for (let round = 0; round < 5; round += 1) {
    last(sockets).open();
    last(sockets).onmessage?.({ data: JSON.stringify(HELLO) });
    last(sockets).fail();
    pass(t, 500);
    assert.equal(sockets.length, round + 2);
  }
});

test("where it was never let in it says so after three times, and tries on slowly", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, way } = websocket();
  const { log, events: told } = events();
  way.start(told);
  for (const wait of [500, 1_000]) {
    last(sockets).fail();
    pass(t, wait);
  }
  last(sockets).fail();
  assert.match(last(log.changes)[1], /refused 3 times.*in 60 s/);
  pass(t, 60_000);
  assert.equal(sockets.length, 4);
});

test("what is no JSON ends the connection", () => {
  const { sockets, way } = websocket();
  const { log, events: told } = events();
  way.start(told);
  last(sockets).open();
  last(sockets).onmessage?.({ data: "<html>" });
  assert.deepEqual([last(sockets).closed, log.received.length], [true, 0]);
  way.dispose();
});

test("disposed, it neither tells nor tries again", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { sockets, way } = websocket();
  const { log, events: told } = events();
  way.start(told);
  last(sockets).open();
  const changes = log.changes.length;
  way.dispose();
  last(sockets).fail();
  pass(t, 100_000);
  assert.deepEqual([sockets.length, log.changes.length, sockets[0]?.closed], [1, changes, true]);
});

function model() {
  const heard = new Set<(content: unknown) => void>();
  const sent: unknown[] = [];
  const made = {
    get: () => "",
    send: (content: unknown) => sent.push(content),
    on: (_: string, callback: (content: unknown) => void) => heard.add(callback),
    off: (_: string, callback: (content: unknown) => void) => heard.delete(callback),
  };
  return { sent, heard, way: new CommWay(made) };
}

test("a comm carries messages as they are, and drops what is none", () => {
  const { sent, heard, way } = model();
  const { log, events: told } = events();
  way.start(told);
  way.send({ type: "watch", panels: ["calls"] });
  for (const tell of heard) for (const content of [HELLO, null, "text", { method: "update" }]) tell(content);
  assert.deepEqual([log.opened, log.received, sent], [1, [HELLO], [{ type: "watch", panels: ["calls"] }]]);
  way.dispose();
  way.send({ type: "watch" });
  assert.deepEqual([heard.size, sent.length], [0, 1]);
});

function first() {
  const better = new FakeWay();
  const others: FakeWay[] = [];
  const other = () => {
    const made = new FakeWay();
    others.push(made);
    return made;
  };
  return { better, others, way: new FirstWay(() => better, other) };
}

test("the gateway is used where it answers", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { better, others, way } = first();
  const { log, events: told } = events();
  way.start(told);
  better.greet();
  pass(t, 10_000);
  way.send({ type: "watch" });
  assert.deepEqual([others.length, log.opened, better.sent.length], [0, 1, 1]);
});

test("a connection that was lost stays lost until the comm answers", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { better, others, way } = first();
  const { log, events: told } = events();
  way.start(told);
  better.greet();
  better.events?.changed("lost", "connection lost");
  pass(t, 3_000);
  others[0]?.events?.changed("connecting", "asking the kernel");
  assert.deepEqual(log.changes.at(-1), ["lost", "connection lost; asking the kernel"]);
});

test("where the gateway does not answer within three seconds the comm is used, until it does", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { better, others, way } = first();
  const { log, events: told } = events();
  way.start(told);
  pass(t, 2_999);
  assert.equal(others.length, 0);
  pass(t, 1);
  others[0]?.greet();
  way.send({ type: "watch" });
  assert.deepEqual([others[0]?.sent.length, better.sent.length, log.received.length], [1, 0, 1]);
  better.events?.changed("lost", "no gateway here");
  assert.ok(!log.changes.some(([, sentence]) => sentence === "no gateway here"));
  better.greet();
  assert.deepEqual([others[0]?.disposed, log.opened, log.received.length], [true, 2, 2]);
});

test("no gateway at all: the comm at once", () => {
  const { better, others, way } = first();
  way.start(events().events);
  better.events?.changed("lost", "404");
  assert.equal(others.length, 1);
  way.dispose();
  assert.ok(better.disposed && others[0]?.disposed);
});

test("a gateway that was there gets three seconds to return", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { better, others, way } = first();
  way.start(events().events);
  better.greet();
  for (const left of [2, 1]) better.events?.changed("lost", `in ${left} s`);
  pass(t, 2_999);
  assert.equal(others.length, 0);
  pass(t, 1);
  assert.equal(others.length, 1);
});
