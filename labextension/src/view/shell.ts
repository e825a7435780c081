/** The view: panels in an element, fed by a way. */

import { VERSION, VIEW_PROTOCOL } from "./messages";
import type { Way } from "./way";

export interface ViewOptions {
  panel?: string;
  compact?: boolean;
  remember?: (key: string, value?: string) => string | undefined;
}

export function mountView(host: HTMLElement, way: Way, _options: ViewOptions): { dispose(): void } {
  const text = host.appendChild(document.createElement("pre"));
  way.start({
    opened: () => {
      way.send({ type: "open", viewProtocol: VIEW_PROTOCOL, version: VERSION });
      way.send({ type: "watch", panels: [] });
    },
    received: (message) => {
      text.textContent = JSON.stringify(message, null, 1);
    },
    changed: (_state, sentence) => {
      text.textContent = sentence;
    },
  });
  return {
    dispose: () => {
      way.dispose();
      text.remove();
    },
  };
}
