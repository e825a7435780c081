/**
 * The key of the page of its own: its link brings it after the `#`, which browsers send to no server. It is kept for this window and
 * this origin, port included: a server on another port is sent the page's cookie, but never this.
 */
import type { Way, WayEvents } from "./view/way";

const KEY = /^#[\w-]{43}$/;

/** The window's key, if it has one; nothing after the `#` stays in the address or in what "back" leads to. */
export function takeKey(
  from: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "replaceState">,
  remember: (key: string, value?: string) => string | undefined,
): string | undefined {
  const brought = KEY.test(from.hash) ? from.hash.slice(1) : undefined;
  if (from.hash) history.replaceState(null, "", from.pathname + from.search);
  return remember("key", brought);
}

/** A way that leads nowhere, and says why. */
export class SilentWay implements Way {
  constructor(private readonly why: string) {}

  start(events: WayEvents): void {
    events.changed("refused", this.why);
  }

  send(): void {}

  dispose(): void {}
}
