/** All panels, in their order. */
import type { PanelKind } from "../panel";

export const panels: readonly PanelKind[] = ["connect", "sessions", "calls"].map((id) => ({
  id,
  title: id,
  watches: [],
  create: () => {
    throw new Error(`the panel ${id} is not here yet`);
  },
}));
