/** Two calls side by side: their facts, and the lines of arguments and results, those that differ marked by a sign and a colour. */
import { isSame, type Pair, pairs } from "./difference";
import { button, el, shown } from "./dom";
import { bytes, counted, duration, outcomeWord } from "./format";
import { lines, member, parse } from "./json";
import type { Detail, Text } from "./messages";

const LINES = 400;
const LINE = 300;

/** Args: `stop` ends the comparison. */
export function renderComparison(left: Detail, right: Detail, stop: () => void): HTMLElement {
  const head = el(
    "div",
    { class: "mcpw-detail-head" },
    el("b", { class: "mcpw-ellipsis" }, `#${left.row.seq} and #${right.row.seq}`),
    el("span", { class: "mcpw-space" }),
    button("Stop comparing", stop, { class: "mcpw-button", testid: "compare-stop" }),
  );
  const body = el(
    "div",
    { class: "mcpw-detail-body", tabindex: 0, role: "region", aria: { label: "Two calls compared" } },
    section("Facts", "compare-facts", pairs(facts(left), facts(right)), `#${left.row.seq}`, `#${right.row.seq}`),
    ...both("Arguments", "compare-arguments", left, right, argumentsOf),
    ...both("Result", "compare-result", left, right, resultOf),
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

function both(title: string, testid: string, left: Detail, right: Detail, of: (detail: Detail) => string[] | string): HTMLElement[] {
  const [one, other] = [of(left), of(right)];
  const why = [one, other].flatMap((each, index) => (typeof each === "string" ? [`#${[left, right][index]?.row.seq}: ${each}`] : []));
  if (typeof one === "string" || typeof other === "string")
    return [el("section", { class: "mcpw-section", testid }, el("h4", {}, title), el("div", { class: "mcpw-faint" }, why.join("; ")))];
  return [section(title, testid, pairs(one, other), `#${left.row.seq}`, `#${right.row.seq}`)];
}

function section(title: string, testid: string, found: readonly Pair[], left: string, right: string): HTMLElement {
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

/** Lines, or why there are none. */
function argumentsOf({ request }: Detail): string[] | string {
  return read(request, (message) => {
    const params = member(message, "params");
    return member(params, "arguments") ?? params ?? {};
  });
}

function resultOf({ answer }: Detail): string[] | string {
  return read(answer, (message) => member(message, "result") ?? member(message, "error") ?? message);
}

function read(text: Text | null | undefined, of: (message: unknown) => unknown): string[] | string {
  if (!text) return "there is none, or it is kept no longer";
  const message = parse(text.text);
  return message === undefined ? "too long to be compared here" : lines(of(message));
}
