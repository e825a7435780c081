/** All panels, in their order. */
import type { PanelKind } from "../panel";

export const PANELS: readonly PanelKind[] = [];
