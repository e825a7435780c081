/**
 * A way: how messages get to a kernel and back. There are three: the gateway's WebSocket, the kernel's own WebSocket (the page of
 * its own), and a comm. Everything above this file is the same for all of them; nothing here knows Jupyter.
 */
import type { ToKernel, ToView } from "./messages";

export type WayState = "connecting" | "open" | "lost" | "refused";

export interface WayEvents {
  /** It can be sent now; called again after each reconnection. */
  opened(): void;
  received(message: ToView): void;
  /** A sentence for people; `state` says whether it will try again by itself. */
  changed(state: WayState, sentence: string): void;
}

export interface Way {
  /** Begin; events come from now on. */
  start(events: WayEvents): void;
  /** Dropped while it is not open: whoever needs an answer asks again after `opened`. */
  send(message: ToKernel): void;
  /** End for good; no event comes any more. */
  dispose(): void;
}
