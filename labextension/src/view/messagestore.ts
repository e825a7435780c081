/**
 * The messages that a view holds, and which of them belong together. Each row names the exchanges that it opens and those it belongs to
 * (`MessageRow.begins`, `.belongs`), by names that are good within its session; an id that is used again opens another. Pure.
 */
import { Ledger } from "./ledger";
import type { MessageRow } from "./messages";

export class MessageStore extends Ledger<MessageRow> {
  /** What clients call themselves, by session; also of sessions of which nothing is here any more. */
  readonly sessions = new Map<string, string>();
  /** `seq` of the oldest message whose text is still kept. */
  oldestText = 0;
  /** The exchange that is open under a name. */
  private open = new Map<string, MessageRow[]>();
  private exchanges = new Map<number, MessageRow[][]>();

  /** The message that opened the exchange a message belongs to; undefined: it belongs to none, or opened it itself. */
  opener(row: MessageRow): MessageRow | undefined {
    const first = this.exchanges.get(row.seq)?.[0]?.[0];
    return first === row ? undefined : first;
  }

  /** All that belong to the same exchanges, ascending, the message itself among them. */
  related(row: MessageRow): MessageRow[] {
    const found = new Map((this.exchanges.get(row.seq) ?? []).flat().map((one) => [one.seq, one]));
    return [...found.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Whether its text was pushed out by newer ones. */
  isGone(row: MessageRow): boolean {
    return row.gone === true || (row.size > 0 && row.seq < this.oldestText);
  }

  /** The kernel's memory begins anew. */
  forget(): void {
    this.sessions.clear();
    this.oldestText = 0;
    this.clear();
  }

  protected override recount(): void {
    this.open = new Map();
    this.exchanges = new Map();
    super.recount();
  }

  protected override count(row: MessageRow, by: 1 | -1): void {
    if (by < 0) {
      this.exchanges.delete(row.seq);
      return;
    }
    if (row.client || !this.sessions.has(row.session)) this.sessions.set(row.session, row.client ?? "");
    const named = (name: string) => `${row.session} ${name}`;
    const mine = (row.belongs ?? []).flatMap((name) => [this.open.get(named(name)) ?? []].filter((one) => one.length));
    if (row.begins?.length) {
      const exchange: MessageRow[] = [];
      for (const name of row.begins) this.open.set(named(name), exchange);
      mine.unshift(exchange);
    }
    for (const exchange of new Set(mine)) exchange.push(row);
    if (mine.length) this.exchanges.set(row.seq, [...new Set(mine)]);
  }
}
