/** A kernel for the tests: a way that remembers what was sent and says what a test says. */
import type { CallRow, SessionRow, ToKernel, ToView } from "../src/view/messages";
import type { Answer, Link, Question } from "../src/view/panel";
import type { Way, WayEvents } from "../src/view/way";

export class FakeWay implements Way {
  events: WayEvents | undefined;
  sent: ToKernel[] = [];
  disposed = false;

  start(events: WayEvents): void {
    this.events = events;
  }
  send(message: ToKernel): void {
    this.sent.push(message);
  }
  dispose(): void {
    this.disposed = true;
    this.events = undefined;
  }
  say(...messages: ToView[]): void {
    for (const message of messages) this.events?.received(message);
  }
  /** Open it and say hello. */
  greet(now = 1_000): void {
    this.events?.opened();
    this.say({ type: "hello", viewProtocol: 1, version: "0.1.0", now });
  }
  /** The latest of this type. */
  last<Type extends ToKernel["type"]>(type: Type): Extract<ToKernel, { type: Type }> {
    const found = this.sent.filter((one) => one.type === type).at(-1);
    if (!found) throw new Error(`no ${type} was sent`);
    return found as Extract<ToKernel, { type: Type }>;
  }
}

/** Surroundings of a panel; what is asked is answered by `answer`. */
export function link(
  answer: (question: Question) => Answer | Promise<Answer> = () => ({ type: "done", re: 0, ok: true, sentence: "done" }),
) {
  const log = { asked: [] as Question[], gone: [] as unknown[], copied: [] as string[], watched: [] as unknown[] };
  const kept = new Map<string, string>();
  const made: Link = {
    ask: async (question) => {
      log.asked.push(question);
      return answer(question);
    },
    watch: (wanted) => log.watched.push(wanted),
    now: () => 1_000,
    copy: async (text) => {
      log.copied.push(text);
      return true;
    },
    go: (panel, wish) => log.gone.push([panel, wish]),
    remember: (key, value) => {
      if (value !== undefined) kept.set(key, value);
      return kept.get(key);
    },
    waitsForCells: false,
  };
  return { link: made, ...log };
}

export function call(seq: number, changes: Partial<CallRow> = {}): CallRow {
  const facts = {
    method: "tools/call",
    target: "top_routes",
    session: "s1",
    principal: "me",
    outcome: "ok",
    client: "codex",
    totalUs: 1_000,
  };
  return { seq, at: 1_000 + seq, ...facts, ...changes };
}

export function calls(from: number, to: number, changes: Partial<CallRow> = {}): CallRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => call(from + index, changes));
}

export function session(id: string, changes: Partial<SessionRow> = {}): SessionRow {
  return { id, transport: "websocket", remote: "127.0.0.1:50000", principal: "me", since: 900, ...changes };
}

/** What people and programs write when they mean harm, or do not think. */
export const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "javascript:alert(1)",
  '"><b data-commandlinker-command="x">',
  "\u202egnp.exe",
  "\u001b[31mred\u001b[0m",
  "nul\u0000 lone\ud800 half",
  "__proto__",
  "\u2028\u2029\u200b\ufeff",
  "a".repeat(1_000_000),
] as const;
