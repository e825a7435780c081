/** The calls that a view holds, and how many of them have which outcome, tool and session. Pure: no document, no clock. */
import { EVERYTHING, type Filter, isCall, matcher, toolOf } from "./filter";
import { outcomeWord } from "./format";
import { type Entry as EntryOf, Ledger } from "./ledger";
import type { CallRow } from "./messages";

export { type Gap, isGap, MOST, place } from "./ledger";
export type Entry = EntryOf<CallRow>;

/** How many calls have which outcome, tool and session; protocol's own not counted unless wanted. */
export interface Facets {
  outcomes: Map<string, number>;
  tools: Map<string, number>;
  sessions: Map<string, number>;
}

export class CallStore extends Ledger<CallRow> {
  facets: Facets = noFacets();
  /** What clients call themselves, by session. */
  readonly clients = new Map<string, string>();
  private protocols = 0;
  private chosen: Filter = EVERYTHING;
  private matches = matcher(EVERYTHING);

  /** How many of them are the protocol's own and left out. */
  get hidden(): number {
    return this.chosen.protocol ? 0 : this.protocols;
  }

  /** Of those that are here, which are to be seen. */
  choose(chosen: Filter): void {
    const recount = chosen.protocol !== this.chosen.protocol;
    this.chosen = chosen;
    this.matches = matcher(chosen);
    if (recount) this.recount();
    this.refill();
  }

  /** Something stands beside a call now. */
  annotate(seq: number, note: string): void {
    const at = this.rows.findIndex((row) => row.seq === seq);
    const row = this.rows[at];
    if (!row) return;
    this.rows[at] = { ...row, note };
    this.refill();
  }

  protected override wants(row: CallRow): boolean {
    return this.matches(row);
  }

  protected override recount(): void {
    this.facets = noFacets();
    this.protocols = 0;
    super.recount();
  }

  protected override count(row: CallRow, by: 1 | -1): void {
    if (row.client) this.clients.set(row.session, row.client);
    if (!isCall(row)) this.protocols += by;
    if (!this.chosen.protocol && !isCall(row)) return;
    for (const [facet, value] of [
      [this.facets.outcomes, outcomeWord(row.outcome)],
      [this.facets.tools, toolOf(row)],
      [this.facets.sessions, row.session],
    ] as const) {
      const n = (facet.get(value) ?? 0) + by;
      if (n > 0 && value) facet.set(value, n);
      else facet.delete(value);
    }
  }
}

function noFacets(): Facets {
  return { outcomes: new Map(), tools: new Map(), sessions: new Map() };
}
