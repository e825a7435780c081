/** Which of the calls that are here are to be seen: facets. Words and keys are the kernel's affair (`filterfield.ts`). Pure. */
import { outcomeWord } from "./format";
import type { CallRow } from "./messages";

/** What people mean by a call; the others are lists, handshakes, pings. */
const CALLS = new Set(["tools/call", "resources/read", "prompts/get", "job"]);
const TOOLS = new Set(["tools/call", "job"]);

export interface Filter {
  /** Outcomes as words (`ok`, `error` …); none: all. */
  outcomes: ReadonlySet<string>;
  /** Empty: all. */
  tool: string;
  session: string;
  /** Lists, handshakes and pings too. */
  protocol: boolean;
}

export const EVERYTHING: Filter = { outcomes: new Set(), tool: "", session: "", protocol: false };

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
  return (row) => {
    if (!filter.protocol && !isCall(row)) return false;
    if (filter.outcomes.size && !filter.outcomes.has(outcomeWord(row.outcome))) return false;
    if (filter.session && row.session !== filter.session) return false;
    return !filter.tool || toolOf(row) === filter.tool;
  };
}
