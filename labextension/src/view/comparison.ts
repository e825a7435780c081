/**
 * Two calls side by side: their facts, and the lines of arguments and results, those that differ marked by a sign and a colour. What of
 * them is compared, and whether it differs, says the kernel (`Compared`), as `wb.traffic.diff` does.
 */
import { isSame, type Pair, pairs } from "./difference";
import { button, el, shown } from "./dom";
import { bytes, counted, duration, outcomeWord } from "./format";
import { lines, parse } from "./json";
import type { Compared, Detail, Sides } from "./messages";

const LINES = 400;
const LINE = 300;

/** Args: `compared` is the kernel's word on these two; `stop` ends the comparison. */
export function renderComparison(left: Detail, right: Detail, compared: Compared, stop: () => void): HTMLElement {
  const titles = [`#${left.row.seq}`, `#${right.row.seq}`] as const;
  const head = el(
    "div",
    { class: "mcpw-detail-head" },
    el("b", { class: "mcpw-ellipsis" }, titles.join(" and ")),
    el("span", { class: "mcpw-space" }),
    button("Stop comparing", stop, { class: "mcpw-button", testid: "compare-stop" }),
  );
  const body = el(
    "div",
    { class: "mcpw-detail-body", tabindex: 0, role: "region", aria: { label: "Two calls compared" } },
    section("Facts", "compare-facts", pairs(facts(left), facts(right)), titles),
    both("Arguments", "compare-arguments", compared.arguments, titles),
    both("Result", "compare-result", compared.result, titles),
    el(
      "p",
      { class: "mcpw-faint" },
      "Compared is what was asked and answered, without what is counted anew each time: names of kept results, _meta.",
    ),
  );
  return el("div", { class: "mcpw-detail", testid: "comparison" }, head, body);
}

function facts({ row, toolVersion, notes }: Detail): string[] {
  const facts = [
    row.target || row.method,
    outcomeWord(row.outcome),
    `took ${duration(row.totalUs)}: wait ${duration(row.waitUs)}, run ${duration(row.runUs)}, send ${duration(row.sendUs)}`,
    `${bytes(row.bytesIn ?? 0)} in, ${bytes(row.bytesOut ?? 0)} out`,
    `version ${toolVersion ?? "–"}`,
  ];
  return [...facts, ...(notes ?? []), ...(row.error ? [row.error] : [])];
}

type Titles = readonly [string, string];

function both(title: string, testid: string, { left, right, differences }: Sides, titles: Titles): HTMLElement {
  const [one, other] = [linesOf(left), linesOf(right)];
  if (one && other)
    return section(title, testid, differences ? pairs(one, other) : one.map((line) => ({ left: line, right: line })), titles);
  const missing = titles.filter((_, index) => ![one, other][index]).join(" and ");
  const said = `${differences ? "not the same" : "the same"}; kept no longer, or too long to be shown: ${missing}`;
  return el("section", { class: "mcpw-section", testid }, el("h4", {}, title), el("div", { class: "mcpw-faint" }, said));
}

function section(title: string, testid: string, found: readonly Pair[], [left, right]: Titles): HTMLElement {
  const differing = found.filter((pair) => !isSame(pair)).length;
  const said = differing ? `${counted(differing, "line")} differ${differing === 1 ? "s" : ""}` : "the same";
  const head = el(
    "div",
    { class: "mcpw-compare-row mcpw-faint", role: "row" },
    ...[left, "", right].map((text) => cell(text, "columnheader")),
  );
  const table = el("div", { class: "mcpw-compare", role: "table", aria: { label: title } }, head);
  const more = (from: number) => {
    table.append(...found.slice(from, from + LINES).map(renderPair));
    const rest = found.length - from - LINES;
    if (rest <= 0) return;
    const show = button(`show ${Math.min(rest, LINES)} of ${counted(rest, "further line")}`, () => {
      show.remove();
      more(from + LINES);
    });
    show.className = "mcpw-link";
    table.append(show);
  };
  more(0);
  return el("section", { class: "mcpw-section", testid }, el("h4", {}, title, " ", el("span", { class: "mcpw-faint" }, said)), table);
}

function renderPair(pair: Pair): HTMLElement {
  const same = isSame(pair);
  const side = (text: string | undefined) => el("div", { class: "mcpw-mono", role: "cell" }, shown(text ?? "", LINE));
  return el(
    "div",
    { class: `mcpw-compare-row${same ? "" : " mcpw-differs"}`, role: "row" },
    side(pair.left),
    cell(same ? "" : "≠", "cell"),
    side(pair.right),
  );
}

function cell(text: string, role: string): HTMLElement {
  return el("div", { role }, text);
}

/** Undefined: there is nothing to be shown. */
function linesOf(text: string): string[] | undefined {
  return text ? lines(parse(text)) : undefined;
}
