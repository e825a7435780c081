/**
 * A panel: one part of what people see. Each stands in a file of its own in `panels/` and is named once, in `panels/index.ts`; a
 * feature adds its panel there and touches no other. Panels put texts into the document by `dom.ts` only, never as markup.
 */
import type { HistogramKey, PanelFilter, ToKernel, ToView } from "./messages";

type Unnumbered<One> = One extends { id: number } ? Omit<One, "id"> : never;
/** What a panel asks, without its number. */
export type Question = Unnumbered<ToKernel>;
export type Answer = Extract<ToView, { re: number }>;

/** What a panel may use of its surroundings. */
export interface Link {
  /** Ask the kernel; rejects with a sentence for people when there is no answer (connection lost, 10 s). */
  ask(question: Question): Promise<Answer>;
  /** What else than its own panel it wants to be told: replaces what this panel wanted before. */
  watch(wanted: { histograms?: readonly HistogramKey[]; heatmap?: string; filters?: readonly PanelFilter[] }): void;
  /** Seconds since 1970 by the kernel's clock. */
  now(): number;
  /** Put a text on the clipboard; resolves to whether it worked. */
  copy(text: string): Promise<boolean>;
  /** Show another panel, for instance the calls of one session: `go("calls", { session: "s3" })`. */
  go(panel: string, wish?: Readonly<Record<string, string>>): void;
  /** Settings that outlive the panel, for instance which column sorts; kept by the surroundings where they can. */
  remember(key: string, value?: string): string | undefined;
  /** Whether clicks wait while a cell is busy (`Hello.waitsForCells`). */
  readonly waitsForCells: boolean;
}

export interface Panel {
  readonly element: HTMLElement;
  /** Every message from the kernel passes here; a panel takes those it knows. Must be quick: at most four times a second. */
  take(message: ToView): void;
  /** It has become visible or hidden; a hidden one draws nothing. */
  shown(visible: boolean): void;
  /** Somebody came here by `Link.go`. */
  wish?(wish: Readonly<Record<string, string>>): void;
  /** The kernel is heard again, or no more: then what was told is how it was last. */
  heard?(live: boolean): void;
  /** The kernel's memory begins anew (restart, reconnect): forget what was told. */
  reset(): void;
  dispose(): void;
}

export interface PanelKind {
  /** Its name: in `Watch.panels`, in `data-testid="panel-<id>"`, and as argument of `wb.show(...)`. */
  readonly id: string;
  readonly title: string;
  /** Names in `Watch.panels` while it is visible; `connect` and `sessions` are watched always. */
  readonly watches: readonly string[];
  create(link: Link): Panel;
}
