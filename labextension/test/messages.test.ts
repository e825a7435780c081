import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import type { MessageRow, MessageText, ToView } from "../src/view/messages";
import { MessageStore } from "../src/view/messagestore";
import type { Answer, Panel, Question } from "../src/view/panel";
import { messages as messagesPanel } from "../src/view/panels/messages";
import { all, byId, click, drawFrames, press, resize, settled } from "./document";
import { HOSTILE, link } from "./kernel";

const row = (seq: number, changes: Partial<MessageRow> = {}): MessageRow => ({
  seq,
  at: 1_000 + seq / 1_000,
  session: "s1",
  size: 90,
  ...changes,
});
const asked = (seq: number, id: string, changes: Partial<MessageRow> = {}) =>
  row(seq, { kind: "request", method: "tools/call", target: "add", id, begins: [`i${id}`], ...changes });
const answered = (seq: number, id: string, changes: Partial<MessageRow> = {}) =>
  row(seq, { kind: "response", out: true, id, belongs: [`i${id}`], ...changes });
const seqs = (rows: readonly MessageRow[]) => rows.map(({ seq }) => seq);

test("request, answer and what is said meanwhile belong together; an id that is used again opens another exchange", () => {
  const store = new MessageStore();
  const said = row(2, { kind: "notification", out: true, belongs: ['it"p"'] });
  const rows = [asked(1, "5", { begins: ["i5", 'it"p"'] }), said, answered(3, "5"), asked(4, "5"), answered(5, "5"), answered(6, "99")];
  store.add({ rows });
  assert.deepEqual(
    rows.map((one) => seqs(store.related(one))),
    [[1, 2, 3], [1, 2, 3], [1, 2, 3], [4, 5], [4, 5], []],
  );
  assert.deepEqual([store.opener(rows[2] as MessageRow)?.seq, store.opener(rows[0] as MessageRow)], [1, undefined]);
});

test("ids are those of a session, and the other way's are others", () => {
  const store = new MessageStore();
  const rows = [
    asked(1, "5"),
    asked(2, "5", { session: "s2" }),
    row(3, { kind: "request", out: true, id: "5", begins: ["o5"] }),
    answered(4, "5", { session: "s2" }),
    row(5, { kind: "response", id: "5", belongs: ["o5"] }),
  ];
  store.add({ rows });
  assert.deepEqual(seqs(store.related(rows[3] as MessageRow)), [2, 4]);
  assert.deepEqual(seqs(store.related(rows[4] as MessageRow)), [3, 5]);
});

test("what came before is paired when it is there, and what is dropped is forgotten", () => {
  const store = new MessageStore();
  store.add({ rows: [answered(500, "5")], oldest: 1 });
  store.addOlder({ rows: [asked(499, "5")], oldest: 1 }, 500);
  assert.deepEqual(seqs(store.related(answered(500, "5"))), [499, 500]);
  for (let from = 501; from < 53_000; from += 500)
    store.add({ rows: Array.from({ length: 500 }, (_, index) => row(from + index)), oldest: 1 });
  assert.deepEqual(seqs(store.related(answered(500, "5"))), []);
});

// --- the panel -----------------------------------------------------------------------------------------------------------

const open: Panel[] = [];
afterEach(() => {
  for (const made of open.splice(0)) {
    made.shown(false);
    made.dispose();
  }
});

const text = (value: MessageRow, said: string, changes: Partial<MessageText> = {}): MessageText => ({
  type: "messageText",
  re: 1,
  row: value,
  text: { text: said, size: new TextEncoder().encode(said).length },
  ...changes,
});

function panel(answer: (question: Question) => Answer = () => ({ type: "done", re: 0, ok: false, sentence: "no" })) {
  const around = link((question) =>
    question.type === "checkFilter" ? { type: "filterChecked", re: 1, ok: true, canonical: question.text } : answer(question),
  );
  const made = messagesPanel.create(around.link);
  document.body.replaceChildren(made.element);
  open.push(made);
  made.shown(true);
  resize(1_200, 400);
  const tell = (...messages: ToView[]) => {
    for (const message of messages) made.take(message);
    drawFrames();
  };
  const rows = () => all(made.element, "messages-row");
  return { ...around, made, tell, rows, element: made.element };
}

test("a row says way, kind, method, id and size; an answer what it answers, and how long that took", () => {
  const { tell, rows } = panel();
  tell({ type: "messages", rows: [asked(1, "5", { era: "modern", beginning: '{"a":1}' }), answered(2, "5", { at: 1_000.004 })] });
  const [second, first] = rows().map((each) => each.textContent ?? "");
  for (const said of ["→ in", "request", "tools/call", "add", "5", "90 B", "modern", '{"a":1}']) assert.ok(first?.includes(said), said);
  assert.match(second ?? "", /← out.*response.*↳ 3\.0 ms add tools\/call/);
});

test("texts that were pushed out say so, before and after they were told, and what was left out is a gap", () => {
  const { tell, rows } = panel();
  tell({ type: "messages", rows: [row(1, { gone: true }), row(2, { kind: "request", beginning: "{}" })], oldest: 1, oldestText: 2 });
  assert.match(rows()[1]?.textContent ?? "", /gone.*text pushed out/);
  assert.doesNotMatch(rows()[0]?.textContent ?? "", /pushed out/);
  tell({ type: "messages", rows: [row(12)], skipped: 9, oldest: 1, oldestText: 12 });
  assert.match(rows()[1]?.textContent ?? "", /9 messages not shown, too many at once/);
});

test("what belongs together is marked where the pointer is", () => {
  const { tell, rows, element } = panel();
  tell({ type: "messages", rows: [asked(1, "5"), row(2), answered(3, "5")] });
  const move = (target: Element) =>
    target.dispatchEvent(new (window as unknown as { MouseEvent: typeof MouseEvent }).MouseEvent("pointermove", { bubbles: true }));
  const marked = () => rows().map((each) => each.classList.contains("mcpw-marked"));
  move(rows()[0] as Element);
  assert.deepEqual(marked(), [true, false, true]);
  move(rows()[1] as Element);
  assert.deepEqual(marked(), [false, false, false]);
  assert.ok(element);
});

test("a click shows the message as a tree and as it crossed, what belongs to it, and leads there and to its call", async () => {
  const one = panel((question) =>
    question.type === "getText" && question.seq === 2
      ? text(answered(2, "5", { at: 1_000.003 }), '{"result":{"n":1}}')
      : text(asked(1, "5"), '{"method":"tools/call"}', {
          call: 7,
          others: [row(9, { kind: "request", out: true, method: "elicitation/create" })],
        }),
  );
  one.tell({ type: "messages", rows: [asked(1, "5"), answered(2, "5", { at: 1_000.003 })] });
  click(one.rows()[1] as Element);
  await settled();
  const detail = () => byId(one.element, "message-detail");
  assert.match(byId(detail(), "message-text").textContent ?? "", /"method": "tools\/call"/);
  click(byId(detail(), "message-Raw"));
  assert.equal(byId(detail(), "message-text").textContent, '{"method":"tools/call"}');
  const related = [...byId(detail(), "message-related").children].map((item) => item.textContent ?? "");
  assert.deepEqual([related.length, related[1]?.includes("+2.0 ms"), related[2]?.includes("elicitation/create")], [3, true, true]);
  click(byId(detail(), "message-call"));
  assert.deepEqual(one.gone, [["calls", { call: "7" }]]);
  click(all(detail(), "message-jump")[0] as Element);
  await settled();
  assert.match(detail().textContent ?? "", /"n": 1/);
  press(detail(), "Escape");
  assert.equal(all(one.element, "message-detail").length, 0);
});

test("of a long text the beginning is shown, and all of it when it is asked for", async () => {
  const one = panel((question) =>
    question.type === "getText" && question.whole
      ? text(asked(1, "5"), '{"whole":true}')
      : { ...text(asked(1, "5"), ""), text: { text: '{"cut', size: 5_000_000 } },
  );
  one.tell({ type: "messages", rows: [asked(1, "5")] });
  click(one.rows()[0] as Element);
  await settled();
  assert.match(byId(one.element, "message-detail").textContent ?? "", /the first 5 B of 5\.0 MB/);
  click(byId(one.element, "message-whole"));
  await settled();
  assert.match(byId(one.element, "message-text").textContent ?? "", /"whole": true/);
  assert.deepEqual(one.asked.at(-1), { type: "getText", seq: 1, whole: true });
});

test("a text that is gone, and a message that is not kept, are said in words", async () => {
  const one = panel((question) =>
    question.type === "getText" && question.seq === 1
      ? { ...text(row(1, { size: 1_234 }), ""), text: null }
      : { type: "done", re: 1, ok: false, sentence: "Message 2 is not kept" },
  );
  one.tell({ type: "messages", rows: [row(1), row(2)] });
  click(one.rows()[1] as Element);
  await settled();
  assert.match(byId(one.element, "message-gone").textContent ?? "", /1,234 bytes have been pushed out/);
  click(one.rows()[0] as Element);
  await settled();
  assert.match(byId(one.element, "message-detail").textContent ?? "", /Message 2 is not kept/);
});

test("a session is followed by the kernel's own filter, together with what is typed", async () => {
  const one = panel();
  one.tell({ type: "messages", rows: [asked(1, "5"), row(2, { session: "out1" })] });
  one.made.wish?.({ session: "out1" });
  assert.deepEqual(one.watched.at(-1), { filters: [{ panel: "messages", text: "session:out1" }] });
  const input = byId(one.element, "messages-filter") as HTMLInputElement;
  input.value = "a | b";
  press(input, "Enter");
  await settled();
  assert.deepEqual(one.watched.at(-1), { filters: [{ panel: "messages", text: "session:out1 (a | b)" }] });
  one.tell({ type: "messages", rows: [row(9, { session: "out1" })], since: 9, oldest: 9, filter: "session:out1 (a | b)" });
  assert.equal(one.rows().length, 1);
});

test("50,000 messages need few elements", () => {
  const one = panel();
  for (let from = 1; from <= 50_000; from += 500)
    one.tell({ type: "messages", rows: Array.from({ length: 500 }, (_, index) => asked(from + index, `${from + index}`)), oldest: 1 });
  assert.equal(byId(one.element, "messages-counts").textContent, "50,000");
  assert.ok(one.rows().length <= 160, `${one.rows().length} rows`);
});

test("hostile texts stay texts", async () => {
  for (const hostile of HOSTILE) {
    const bad = row(1, {
      kind: hostile.slice(0, 300),
      method: hostile.slice(0, 300),
      target: hostile.slice(0, 300),
      id: hostile.slice(0, 80),
    });
    const evil = {
      ...bad,
      session: hostile.slice(0, 40),
      client: hostile.slice(0, 300),
      era: hostile.slice(0, 40),
      beginning: hostile.slice(0, 120),
    };
    const one = panel(() => text(evil, hostile));
    one.tell({ type: "messages", rows: [evil] });
    click(one.rows()[0] as Element);
    await settled();
    for (const element of one.element.querySelectorAll("*")) {
      assert.ok(!["img", "script", "a", "b-x", "iframe"].includes(element.tagName.toLowerCase()));
      for (const name of element.getAttributeNames()) assert.doesNotMatch(name, /^on|^href|^src|commandlinker/);
    }
    assert.doesNotMatch(one.element.textContent ?? "", /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/);
  }
});

test("Esc closes the help before it empties the field", async () => {
  const one = panel();
  const [field, help] = [byId(one.element, "messages-filter") as HTMLInputElement, byId(one.element, "messages-filter-help")];
  const isOpen = () => help.getAttribute("aria-expanded");
  const list = one.element.querySelector(".mcpw-filter-help") as HTMLElement;
  field.value = "kind:request";
  for (const where of [field, help]) {
    click(help);
    assert.deepEqual([isOpen(), list.hidden], ["true", false]);
    press(where, "Escape");
    assert.deepEqual([isOpen(), list.hidden, field.value], ["false", true, "kind:request"]);
  }
  press(field, "Escape");
  assert.equal(field.value, "");
});
