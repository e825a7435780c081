/** Which calls are to be seen: words, excluded words, and facets. Pure: rows in, yes or no out. */
import { outcomeWord } from "./format";
import type { CallRow } from "./messages";

/** What people mean by a call; the others are lists, handshakes, pings. */
const CALLS = new Set(["tools/call", "resources/read", "prompts/get", "job"]);
const TOOLS = new Set(["tools/call", "job"]);

export interface Filter {
  /** Words that must all occur in target, error, client, session, method, principal or id; `-word` must not, `"two words"` are one. */
  text: string;
  /** Outcomes as words (`ok`, `error` …); none: all. */
  outcomes: ReadonlySet<string>;
  /** Empty: all. */
  tool: string;
  session: string;
  /** Lists, handshakes and pings too. */
  protocol: boolean;
}

export const EVERYTHING: Filter = { text: "", outcomes: new Set(), tool: "", session: "", protocol: false };

interface Words {
  wanted: readonly string[];
  unwanted: readonly string[];
}

/** The words of a filter's text, in small letters; a lone `-` says nothing yet. */
export function words(text: string): Words {
  const found = [...text.toLowerCase().matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)].map((one) => ({
    not: one[1] === "-",
    word: one[2] ?? one[3] ?? "",
  }));
  const of = (not: boolean) => found.filter((one) => one.not === not && one.word && one.word !== "-").map((one) => one.word);
  return { wanted: of(false), unwanted: of(true) };
}

/** The tool that a call is of; empty for what is no tool's. */
export function toolOf(row: CallRow): string {
  return TOOLS.has(row.method) ? row.target : "";
}

/** Whether somebody wanted something, and not the protocol. */
export function isCall(row: CallRow): boolean {
  return CALLS.has(row.method);
}

/** A filter ready to be asked 50,000 times. */
export function matcher(filter: Filter): (row: CallRow) => boolean {
  const { wanted, unwanted } = words(filter.text);
  const searched = wanted.length + unwanted.length > 0;
  return (row) => {
    if (!filter.protocol && !isCall(row)) return false;
    if (filter.outcomes.size && !filter.outcomes.has(outcomeWord(row.outcome))) return false;
    if (filter.session && row.session !== filter.session) return false;
    if (filter.tool && toolOf(row) !== filter.tool) return false;
    if (!searched) return true;
    const text = searchable(row);
    return wanted.every((word) => text.includes(word)) && !unwanted.some((word) => text.includes(word));
  };
}

const texts = new WeakMap<CallRow, string>();

function searchable(row: CallRow): string {
  const known = texts.get(row);
  if (known !== undefined) return known;
  const parts = [row.target, row.error, row.client, row.session, row.method, row.principal, row.callId, row.job, row.outcome];
  const text = parts.filter(Boolean).join("\n").toLowerCase();
  texts.set(row, text);
  return text;
}
