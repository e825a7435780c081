/**
 * The calls that a view holds: up to 50,000, ascending, and those of them that a filter lets through. What is new costs as much as is
 * new, not as much as is there. Pure: no document, no clock.
 */
import { EVERYTHING, type Filter, isCall, matcher, toolOf } from "./filter";
import { outcomeWord } from "./format";
import type { CallRow, Calls, OlderCalls } from "./messages";

export const MOST = 50_000;
/** Dropped together, so that arrays are not moved for each one. */
const SLACK = 2_000;

/** Calls between two that are here: they came too many at once. */
export interface Gap {
  gap: number;
  /** `seq` of the next one that is here. */
  before: number;
}
export type Entry = CallRow | Gap;

export function isGap(entry: Entry): entry is Gap {
  return "gap" in entry;
}

/** Where an entry stands; ascending. */
export function place(entry: Entry): number {
  return isGap(entry) ? entry.before - 0.5 : entry.seq;
}

/** How many calls have which outcome, tool and session; protocol's own not counted unless wanted. */
export interface Facets {
  outcomes: Map<string, number>;
  tools: Map<string, number>;
  sessions: Map<string, number>;
}

export class CallStore {
  /** What is to be seen, ascending: calls that match, and gaps. */
  entries: Entry[] = [];
  /** How many calls match. */
  matched = 0;
  /** How many calls have arrived that match, dropped ones included; only grows until `clear`. */
  arrived = 0;
  facets: Facets = noFacets();
  /** What clients call themselves, by session. */
  readonly clients = new Map<string, string>();
  private rows: CallRow[] = [];
  private protocols = 0;
  private filter: Filter = EVERYTHING;
  private matches = matcher(EVERYTHING);
  private oldest = 0;
  /** `seq` of rows before which the kernel has nothing that is not here. */
  private readonly closed = new Set<number>();

  /** How many calls are held. */
  get total(): number {
    return this.rows.length;
  }

  /** How many of them are the protocol's own and left out. */
  get hidden(): number {
    return this.filter.protocol ? 0 : this.protocols;
  }

  /** `seq` before which older ones can be had; 0: there are none, or no room. */
  get olderThan(): number {
    const first = this.rows[0];
    const more = first && first.seq > Math.max(this.oldest, 1) && !this.closed.has(first.seq) && this.rows.length < MOST;
    return more ? first.seq : 0;
  }

  add(message: Calls): void {
    this.oldest = message.oldest ?? this.oldest;
    for (const row of message.rows ?? []) {
      const last = this.rows.at(-1);
      if (last && row.seq <= last.seq) continue;
      this.count(row, 1);
      this.rows.push(row);
      this.see(row, last);
    }
    if (this.rows.length > MOST + SLACK) this.drop(this.rows.length - MOST);
  }

  /** Args: `before` as it was asked for. */
  addOlder(message: OlderCalls, before: number): void {
    this.oldest = message.oldest ?? this.oldest;
    const have = new Set(this.rows.map((row) => row.seq));
    const fresh = (message.rows ?? []).filter((row) => !have.has(row.seq));
    for (const row of fresh) this.count(row, 1);
    this.rows = [...this.rows, ...fresh].sort((a, b) => a.seq - b.seq);
    this.close(
      (message.rows ?? []).reduce((low, row) => Math.min(low, row.seq), before),
      before,
      message.rows?.length === 0,
    );
    this.refill();
  }

  setFilter(filter: Filter): void {
    const recount = filter.protocol !== this.filter.protocol;
    this.filter = filter;
    this.matches = matcher(filter);
    if (recount) {
      this.facets = noFacets();
      this.protocols = 0;
      for (const row of this.rows) this.count(row, 1);
    }
    this.refill();
  }

  clear(): void {
    this.rows = [];
    this.entries = [];
    this.matched = this.arrived = this.oldest = this.protocols = 0;
    this.facets = noFacets();
    this.closed.clear();
  }

  /** Between these the kernel has told all it has. */
  private close(from: number, before: number, nothing = false): void {
    for (const row of this.rows) if (row.seq > from && row.seq <= before) this.closed.add(row.seq);
    if (nothing) this.closed.add(before);
  }

  private refill(): void {
    this.entries = [];
    this.matched = 0;
    const arrived = this.arrived;
    this.rows.forEach((row, index) => {
      this.see(row, this.rows[index - 1]);
    });
    this.arrived = arrived;
  }

  private see(row: CallRow, last: CallRow | undefined): void {
    if (last && row.seq > last.seq + 1 && !this.closed.has(row.seq)) this.entries.push({ gap: row.seq - last.seq - 1, before: row.seq });
    if (!this.matches(row)) return;
    this.entries.push(row);
    this.matched += 1;
    this.arrived += 1;
  }

  private drop(n: number): void {
    for (const row of this.rows.splice(0, n)) this.count(row, -1);
    const first = this.rows[0]?.seq ?? 0;
    const kept = this.entries.findIndex((entry) => place(entry) >= first);
    const gone = this.entries.splice(0, kept < 0 ? this.entries.length : kept);
    this.matched -= gone.filter((entry) => !isGap(entry)).length;
  }

  private count(row: CallRow, by: 1 | -1): void {
    if (row.client) this.clients.set(row.session, row.client);
    if (!isCall(row)) this.protocols += by;
    if (!this.filter.protocol && !isCall(row)) return;
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
