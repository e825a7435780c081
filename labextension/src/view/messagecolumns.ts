/** The columns of the list of messages. */
import { badge } from "./badge";
import { type Child, el, shown } from "./dom";
import { bytes, duration, moment } from "./format";
import { type Entry, isGap } from "./ledger";
import { kindMark, way } from "./messagedetail";
import type { MessageRow } from "./messages";
import type { MessageStore } from "./messagestore";
import type { Column } from "./table";

type MessageColumn = Omit<Column<Entry<MessageRow>>, "cell" | "compare"> & { cell(row: MessageRow): Child };

/** Args: `store` knows what an answer answers. */
export function columns(store: MessageStore): readonly Column<Entry<MessageRow>>[] {
  const all: readonly MessageColumn[] = [
    { id: "time", title: "Crossed", width: 84, rank: 5, cell: (row) => moment(row.at, { millis: true }) },
    { id: "session", title: "", hint: "Session", width: 24, rank: 4, cell: (row) => badge(row.session, row.client) },
    { id: "way", title: "Way", width: 38, rank: 1, cell: way },
    { id: "kind", title: "Kind", width: 76, rank: 2, cell: kindMark },
    { id: "method", title: "Method", width: 110, grows: 3, rank: 0, cell: (row) => methodCell(row, store) },
    {
      id: "id",
      title: "Id",
      hint: "Of the request",
      width: 44,
      rank: 7,
      cell: (row) => shown(row.id ?? "", 24, { class: "mcpw-mono mcpw-ellipsis" }),
    },
    {
      id: "beginning",
      title: "Carries",
      hint: "Arguments, the result or the error's sentence, without what stands in every message",
      width: 130,
      grows: 5,
      rank: 3,
      cell: (row) => beginning(row, store),
    },
    { id: "size", title: "Size", width: 56, rank: 6, right: true, cell: (row) => bytes(row.size) },
    { id: "era", title: "Era", hint: "legacy: opened by initialize; modern: 2026-07-28", width: 62, rank: 8, cell: eraCell },
  ];
  return all.map(({ cell, ...rest }) => ({ ...rest, cell: (entry) => (isGap(entry) ? "" : cell(entry)) }));
}

/** What it names, and its method; of an answer, those of what it answers and how long that took. */
function methodCell(row: MessageRow, store: MessageStore): HTMLElement {
  const asked = row.kind === "notification" ? undefined : store.opener(row);
  const method = asked?.method ?? row.method ?? "";
  const target = (asked ?? row).target ?? "";
  const after = asked ? `↳ ${duration(Math.max(0, row.at - asked.at) * 1e6)} ` : "";
  return el(
    "span",
    { class: `mcpw-ellipsis${asked ? " mcpw-faint" : ""}`, title: [method, target].filter(Boolean).join(" ") },
    after,
    ...(target ? [shown(target, 120, { class: "mcpw-mono" }), " "] : []),
    shown(method, 80, { class: target ? "mcpw-faint" : "mcpw-mono" }),
  );
}

function beginning(row: MessageRow, store: MessageStore): Child {
  if (store.isGone(row)) return el("span", { class: "mcpw-faint" }, "text pushed out");
  return shown(row.beginning ?? "", 160, { class: "mcpw-mono mcpw-ellipsis mcpw-faint" });
}

function eraCell(row: MessageRow): Child {
  return row.era ? el("span", { class: `mcpw-mark mcpw-era-${row.era === "modern" ? "modern" : "legacy"}` }, shown(row.era, 12)) : "";
}
