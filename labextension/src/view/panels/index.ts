/** The panels, in the order of their tabs; a feature adds its line. */
import type { PanelKind } from "../panel";
import { calls } from "./calls";
import { connect } from "./connect";
import { dataframes } from "./dataframes";
import { kernel } from "./kernel";
import { latency } from "./latency";
import { messages } from "./messages";
import { sessions } from "./sessions";
import { timeline } from "./timeline";

export const panels: readonly PanelKind[] = [connect, sessions, calls, messages, timeline, latency, dataframes, kernel];
