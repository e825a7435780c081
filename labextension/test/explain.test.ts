/** What is said of a connection that did not open, where that can be asked otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WayState } from "../src/view/way";
import { type Socket, WebSocketWay } from "../src/view/ways/websocket";

class Line {
  readonly sockets: Socket[] = [];
  readonly said: [WayState, string][] = [];
  asked = 0;
  readonly way: WebSocketWay;

  constructor(why: string | undefined) {
    const explain = async () => {
      this.asked += 1;
      return why;
    };
    this.way = new WebSocketWay({ url: () => "ws://x/", open: () => this.socket(), random: () => 0.5, explain });
    this.way.start({ opened: () => {}, received: () => {}, changed: (...said) => this.said.push(said) });
  }

  get last(): Socket {
    return this.sockets.at(-1) as Socket;
  }

  private socket(): Socket {
    const socket: Socket = { onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} };
    this.sockets.push(socket);
    return socket;
  }
}

test("a connection that was refused says why, where that is known", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const line = new Line("this page wants a new link");
  for (const pause of [500, 1_000]) {
    line.last.onclose?.({ code: 1006, reason: "" });
    t.mock.timers.tick(pause);
  }
  line.last.onclose?.({ code: 1006, reason: "" });
  assert.equal(line.asked, 3);
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(1_000); // a step of this pause, which is long by now
  assert.deepEqual(line.said.at(-1), ["lost", "this page wants a new link; trying again in 59 s"]);
  line.way.dispose();
});

test("one that had opened is only lost, and nothing is asked", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const line = new Line("this page wants a new link");
  line.last.onopen?.(undefined as never);
  line.last.onclose?.({ code: 1001, reason: "the server is stopping" });
  assert.equal(line.asked, 0);
  assert.deepEqual(line.said.at(-1), ["lost", "connection lost (the server is stopping); trying again in 1 s"]);
  line.way.dispose();
});
