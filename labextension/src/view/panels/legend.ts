/** The figures of the histograms that are drawn, one row for each, with the colour it is drawn in. */
import { QUANTILES } from "../charts/distribution";
import { el, shown } from "../dom";
import { duration, number } from "../format";
import type { Histogram } from "../messages";
import { whyNone } from "./tools";

export interface Entry {
  readonly ink: "main" | "compare" | "failed";
  readonly name: string;
  readonly histogram: Histogram;
}

const HEADS = ["", "n", ...QUANTILES.map(([, name]) => name), "mean", "least", "most"];

export class Legend {
  readonly element: HTMLElement;
  private readonly body = el("tbody");

  constructor() {
    const head = el("thead", {}, el("tr", {}, ...HEADS.map((text) => el("th", {}, text))));
    this.element = el("table", { class: "mcpw-figure-legend", testid: "legend" }, head, this.body);
  }

  draw(entries: readonly (Entry | null)[]): void {
    this.body.replaceChildren(...entries.filter((entry) => entry !== null).map(legendRow));
  }
}

function legendRow({ ink, name, histogram }: Entry): HTMLElement {
  const swatch = el("span", { class: `mcpw-figure-swatch mcpw-figure-swatch-${ink}` });
  const title = el("th", {}, swatch, shown(name, 60));
  title.scope = "row";
  const n = histogram.n ?? 0;
  const quantiles = QUANTILES.map(([key]) => {
    const us = histogram.quantiles?.[key];
    const why = us === null || us === undefined ? { title: whyNone(n, key) } : {};
    return el("td", why, duration(us));
  });
  const rest = [histogram.meanUs, histogram.minUs, histogram.maxUs].map((us) => el("td", {}, duration(us)));
  return el("tr", { testid: "legend-row" }, title, el("td", {}, number(n)), ...quantiles, ...rest);
}
