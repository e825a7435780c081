import assert from "node:assert/strict";
import test, { afterEach } from "node:test";
import type { Detail, OpenCall, ToView } from "../src/view/messages";
import type { Answer, Panel, Question } from "../src/view/panel";
import { calls as callsPanel } from "../src/view/panels/calls";
import { connect as connectPanel } from "../src/view/panels/connect";
import { sessions as sessionsPanel } from "../src/view/panels/sessions";
import { all, byId, click, drawFrames, press, resize, settled } from "./document";
import { call, calls, HOSTILE, link, session } from "./kernel";

type Kind = typeof callsPanel;

const open: Panel[] = [];
afterEach(() => {
  for (const made of open.splice(0)) {
    made.shown(false);
    made.dispose();
  }
});

function panel(kind: Kind, answer?: (question: Question) => Answer | Promise<Answer>) {
  const around = link(answer);
  const made = kind.create(around.link);
  document.body.replaceChildren(made.element);
  open.push(made);
  made.shown(true);
  resize(900, 240);
  const tell = (...messages: ToView[]) => {
    for (const message of messages) made.take(message);
    drawFrames();
  };
  const names = () => all(made.element, "calls-row").map((row) => row.querySelector(".mcpw-mono")?.textContent);
  return { ...around, made, tell, names, element: made.element };
}

const running = (changes: Partial<OpenCall> = {}): OpenCall => ({
  key: "k1",
  target: "fit_model",
  method: "tools/call",
  session: "s1",
  principal: "me",
  at: 990,
  ...changes,
});
const detail = (changes: Partial<Detail> = {}): Detail => ({ type: "detail", re: 1, row: call(7), ...changes });
const raw = (value: unknown) => ({ text: JSON.stringify(value), size: JSON.stringify(value).length });
const answered = (result: unknown) => raw({ jsonrpc: "2.0", id: 1, result });
const asked = (params: unknown) => raw({ jsonrpc: "2.0", id: 1, method: "tools/call", params });

async function opened(changes: Partial<Detail>) {
  const one = panel(callsPanel, () => detail(changes));
  one.tell({ type: "calls", rows: [call(7)] });
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  return { ...one, drawer: byId(one.element, "call-detail") };
}

test("ended calls appear, newest first, with what matches counted", () => {
  const { tell, names, element } = panel(callsPanel);
  tell({ type: "calls", rows: [call(1), call(2, { target: "fit_model" }), call(3, { method: "ping", target: "" })] });
  assert.deepEqual([names(), byId(element, "calls-counts").textContent], [["fit_model", "top_routes"], "2, 1 protocol hidden"]);
  click(byId(element, "calls-protocol"));
  drawFrames();
  assert.deepEqual(names(), ["ping", "fit_model", "top_routes"]);
  click(byId(element, "calls-clear"));
  drawFrames();
  assert.equal(names().length, 2);
});

test("a facet chooses among the calls that are here", () => {
  const { tell, names, element } = panel(callsPanel);
  tell({ type: "calls", rows: [call(1), call(2, { target: "broken", outcome: "tool_error", error: "no" })] });
  click(byId(element, "calls-outcome-error"));
  drawFrames();
  assert.deepEqual(names(), ["broken"]);
});

const typed = (element: Element, text: string) => {
  const input = byId(element, "calls-filter") as HTMLInputElement;
  input.value = text;
  press(input, "Enter");
};
const understood = (question: Question): Answer =>
  question.type === "checkFilter"
    ? { type: "filterChecked", re: 1, ok: true, canonical: question.text }
    : { type: "olderCalls", re: 2, rows: [call(3, { target: "rare" })], reached: 1, oldest: 1 };

test("what the kernel understands is applied: it tells anew what fits, and looks through what is kept", async () => {
  const { tell, names, element, asked: questions, watched } = panel(callsPanel, understood);
  tell({ type: "calls", rows: [call(1), call(2)] });
  typed(element, " tool:rare ");
  await settled();
  assert.deepEqual(watched.at(-1), { filters: [{ panel: "calls", text: "tool:rare" }] });
  tell({ type: "calls", rows: [call(9)] });
  assert.deepEqual(names(), [], "told before the kernel has heard of the filter");
  tell({ type: "calls", rows: [call(700, { target: "rare" })], since: 600, oldest: 1, filter: "tool:rare" });
  await settled();
  drawFrames();
  assert.deepEqual(names(), ["rare", "rare"]);
  assert.deepEqual(questions.at(-1), { type: "getOlder", before: 600, limit: 500, filter: "tool:rare" });
  click(byId(element, "calls-clear"));
  assert.deepEqual(watched.at(-1), {});
});

test("a filter that lets nothing through says so", async () => {
  const { tell, element } = panel(callsPanel, (question) =>
    question.type === "checkFilter" ? understood(question) : { type: "olderCalls", re: 2, reached: 1, oldest: 1 },
  );
  typed(element, "nowhere");
  await settled();
  tell({ type: "calls", since: 1, oldest: 1, filter: "nowhere" });
  await settled();
  drawFrames();
  assert.match(element.querySelector(".mcpw-empty:not([hidden])")?.textContent ?? "", /No call that is kept matches/);
});

test("what is wrong with a filter stands below it, its place marked, and the filter before stays", async () => {
  const { element, watched } = panel(callsPanel, (question) => {
    if (question.type !== "checkFilter" || question.text === "ok") return understood(question);
    return { type: "filterChecked", re: 1, ok: false, sentence: "there is no key tol", position: 2, nearest: "tool" };
  });
  typed(element, "ok");
  await settled();
  typed(element, "\u{1f600} tol:<b>x</b>");
  await settled();
  const wrong = byId(element, "calls-filter-wrong");
  assert.deepEqual([wrong.hidden, wrong.querySelector("mark")?.textContent], [false, "tol:<b>x</b>"]);
  assert.match(wrong.textContent ?? "", /there is no key tol. Near: tool. Until then: ok/);
  assert.equal(byId(element, "calls-filter").getAttribute("aria-invalid"), "true");
  assert.deepEqual(watched.at(-1), { filters: [{ panel: "calls", text: "ok" }] });
  typed(element, "");
  assert.deepEqual([wrong.hidden, watched.at(-1)], [true, {}]);
});

test("a filter is read anew where the kernel is heard again", async () => {
  const { element, made, asked: questions } = panel(callsPanel, understood);
  typed(element, "tool:rare");
  await settled();
  made.heard?.(true);
  assert.deepEqual(questions.filter((one) => one.type === "checkFilter").length, 2);
});

test("calls of one session, when somebody comes from there", () => {
  const { made, tell, names } = panel(callsPanel);
  tell({ type: "calls", rows: [call(1), call(2, { session: "s2", target: "other" })] });
  made.wish?.({ session: "s2" });
  drawFrames();
  assert.deepEqual(names(), ["other"]);
});

test("methods and outcomes that are called like something of JavaScript's are texts", () => {
  const { tell, element } = panel(callsPanel);
  click(byId(element, "calls-protocol"));
  tell({ type: "calls", rows: [call(1, { method: "__proto__", target: "", outcome: "constructor" })] });
  assert.match(all(element, "calls-row")[0]?.textContent ?? "", /__proto__constructor/);
});

test("a gap says how many are missing, and loads them", async () => {
  const { tell, element, asked: questions } = panel(callsPanel, () => ({ type: "olderCalls", re: 1, rows: calls(2, 8), oldest: 1 }));
  tell({ type: "calls", rows: [call(1), call(9)], skipped: 7, oldest: 1 });
  const gap = element.querySelector(".mcpw-gap");
  assert.match(gap?.textContent ?? "", /7 calls not shown/);
  click(gap?.querySelector("button") as Element);
  await settled();
  drawFrames();
  assert.deepEqual([questions, element.querySelector(".mcpw-gap")], [[{ type: "getOlder", before: 9, limit: 500 }], null]);
  assert.equal(all(element, "calls-row").length, 9);
});

test("older calls are a click away while the kernel has some", async () => {
  const { tell, element } = panel(callsPanel, () => ({ type: "olderCalls", re: 1, rows: calls(40, 49), oldest: 40 }));
  tell({ type: "calls", rows: calls(50, 52), oldest: 40 });
  const foot = byId(element, "calls-older").parentElement as HTMLElement;
  assert.equal(foot.hidden, false);
  click(byId(element, "calls-older"));
  await settled();
  drawFrames();
  assert.deepEqual([foot.hidden, all(element, "calls-row").length], [true, 13]);
});

test("what waits behind a cell tells the cell's own time, and can be stopped no more when nothing is heard", () => {
  const { made, tell, element } = panel(callsPanel);
  const waits = "behind cell [9], running 4 s";
  tell({ type: "openCalls", rows: [running({ waits })] }, { type: "kernel", cell: "[9]", cellSince: 993 });
  assert.match(byId(element, "running-row").textContent ?? "", /waits behind cell \[9\], running 7 s/);
  tell({ type: "kernel", cell: "[10]", cellSince: 999 });
  assert.match(byId(element, "running-row").textContent ?? "", /cell \[9\], running 4 s/, "of another cell it knows no better");
  made.heard?.(false);
  assert.equal(byId(element, "stop").hidden, true);
});

test("a job's two rows differ: the early answer leads to the job, whose end is its own", () => {
  const { tell, element } = panel(callsPanel);
  const name = "a_tool_with_a_very_long_name";
  tell({
    type: "calls",
    rows: [call(1, { target: name, job: "j1", bytesOut: 0 }), call(2, { target: name, method: "job", job: "j1", bytesOut: 229 })],
  });
  const [end, answer] = all(element, "calls-row").map((row) => row.textContent ?? "");
  assert.match(answer ?? "", /→ j1a_tool.*→ job j1.*–/);
  assert.match(end ?? "", /job j1a_tool.*ok.*229 B/);
});

test("of what failed the reason stands first and once", async () => {
  const { drawer } = await opened({
    row: call(7, { outcome: "tool_error", error: "ValueError: no such airport" }),
    answer: answered({ isError: true, content: [{ type: "text", text: "ValueError: no such airport" }] }),
    request: asked({ name: "f", arguments: { code: "XXX" } }),
    traceback: "Traceback …",
    notes: ["flights v17"],
  });
  const titles = [...drawer.querySelectorAll("h4")].map((one) => one.textContent);
  assert.deepEqual(titles.slice(0, 4), ["Result", "Traceback", "Arguments", "What it did"]);
  assert.equal(drawer.querySelector("[data-testid=call-error]"), null);
});

test("a server that is heard no more is told in the past, with its last figures", () => {
  const { made, tell, element } = panel(connectPanel);
  tell(
    { type: "state", name: "n", url: "ws://127.0.0.1:1/mcp", since: 902, calls: 17 },
    { type: "sessions", rows: [session("s1", { client: "codex", since: 986 })], open: 1 },
  );
  assert.match(element.textContent ?? "", /^Serving ws.*for 98 s · 17 requests/);
  made.heard?.(false);
  assert.match(element.textContent ?? "", /^Served ws.*for 98 s · 17 requests.*was connected for 14 s/);
  assert.doesNotMatch(element.textContent ?? "", /Serving|waiting/);
  made.heard?.(true);
  tell({ type: "state", name: "n", calls: 20 });
  assert.match(element.textContent ?? "", /^Not serving wb\.start\(\) in a cell starts the server.*Served ws.*20 requests/);
});

test("a view that was opened after the server's end still tells what it did", () => {
  const { tell, element } = panel(connectPanel);
  tell({ type: "state", name: "n", calls: 14 });
  assert.match(byId(element, "connect-state").textContent ?? "", /Not serving.*Served 14 requests/);
});

test("sessions of a kernel that is heard no more were open", () => {
  const { made, tell, element } = panel(sessionsPanel);
  tell({ type: "sessions", rows: [session("s1")], open: 1 });
  made.heard?.(false);
  drawFrames();
  assert.match(byId(element, "sessions-count").textContent ?? "", /^1 were open/);
  const row = all(element, "sessions-row")[0];
  assert.ok(row?.classList.contains("mcpw-ended"));
  assert.match(row?.textContent ?? "", /was open/);
});

test("published DataFrames are offered, notices have code", () => {
  const { tell, element, gone } = panel(connectPanel);
  tell({ type: "state", name: "n", url: "ws://x", dataframes: ["flights"], notices: ["call `wb.start()` again"] } as ToView);
  assert.equal(byId(element, "connect-notices").querySelector("code")?.textContent, "wb.start()");
  assert.match(byId(element, "connect-offered").textContent ?? "", /1 DataFrameflights/);
  click([...byId(element, "connect-offered").querySelectorAll("button")].at(-1) as Element);
  assert.deepEqual(gone, [["dataframes", { name: "flights" }]]);
});

test("running calls stand on top, with progress, or what they wait for", () => {
  const { tell, element } = panel(callsPanel);
  const rows = [running({ progress: 3, total: 12, message: "epoch 3" }), running({ key: "k2", waits: "behind cell [12], running 8 s" })];
  tell({ type: "openCalls", rows, more: 2 });
  const texts = all(element, "running-row").map((row) => row.querySelector(".mcpw-standing")?.textContent);
  assert.deepEqual(texts, ["25 %, epoch 3", "waits behind cell [12], running 8 s"]);
  assert.equal(all(element, "running-row")[0]?.querySelector(".mcpw-time")?.textContent, "10 s");
  assert.match(element.textContent ?? "", /and 2 further calls/);
  tell({ type: "openCalls", rows: rows.slice(1) });
  assert.equal(all(element, "running-row").length, 1);
});

test("stop is asked once, then meant, and the kernel's sentence is shown", async () => {
  const { tell, element, asked: questions } = panel(callsPanel, () => ({ type: "done", re: 1, ok: true, sentence: "asked to stop" }));
  tell({ type: "openCalls", rows: [running()] });
  const stop = byId(element, "stop") as HTMLButtonElement;
  click(stop);
  assert.deepEqual([stop.textContent, questions], ["Stop?", []]);
  tell({ type: "openCalls", rows: [running({ progress: 1, total: 2 })] });
  assert.equal(byId(element, "stop"), stop);
  click(stop);
  assert.equal(stop.disabled, true);
  await settled();
  assert.deepEqual(questions, [{ type: "stop", key: "k1" }]);
  assert.deepEqual([stop.textContent, byId(element, "stop-answer").textContent], ["Stop", "fit_model: asked to stop"]);
});

test("a question that is not answered is taken back", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { tell, element } = panel(callsPanel);
  tell({ type: "openCalls", rows: [running()] });
  click(byId(element, "stop"));
  t.mock.timers.tick(4_000);
  assert.equal(byId(element, "stop").textContent, "Stop");
});

test("the drawer shows what was asked, what was answered, and where the time went", async () => {
  const { drawer, copied, element } = await opened({
    row: call(7, { waitUs: 1_000, runUs: 3_000, sendUs: 20, totalUs: 4_020 }),
    request: asked({ name: "top_routes", arguments: { carrier: "UA", months: [1, 2] } }),
    answer: answered({ content: [{ type: "text", text: "JFK-LAX,11262\nLGA" }], structuredContent: { n: 11262 } }),
    output: "said\n",
    traceback: "Traceback",
    definedAt: "cell [12] line 3",
    notes: ["flights v17"],
    queuedBehind: "cell [14]",
    asCell: "%mcp_call top_routes",
  });
  const text = drawer.textContent ?? "";
  for (const part of [
    "UA",
    "[1, 2]",
    "JFK-LAX,11262\nLGA",
    "11262",
    "said",
    "Traceback",
    "cell [12] line 3",
    "flights v17",
    "behind cell [14]",
  ])
    assert.ok(text.includes(part), part);
  assert.match(byId(drawer, "call-phases").textContent ?? "", /wait 1\.0 ms.*run 3\.0 ms.*send 20 µs.*total 4\.0 ms/);
  click(byId(drawer, "call-copy-cell"));
  await settled();
  assert.deepEqual([copied, byId(drawer, "call-copy-cell").textContent], [["%mcp_call top_routes"], "Copied"]);
  press(byId(element, "call-detail"), "Escape");
  assert.equal(element.querySelector("[data-testid=call-detail]"), null);
});

test("hostile JSON in the drawer is text", async () => {
  const bad = Object.fromEntries(HOSTILE.map((text, index) => [index % 2 ? text.slice(0, 500) : `${index}`, text]));
  const content = [
    ...HOSTILE.map((text) => ({ type: "text", text })),
    { type: "image", mimeType: "image/svg+xml", data: "PHN2Zz4=" },
    { type: "image", mimeType: "image/png", data: 'x" onerror="alert(1)' },
    { type: "resource_link", uri: "javascript:alert(1)", name: "<b>" },
    { type: "resource", resource: { uri: "https://example.invalid/x.js", text: "<script>" } },
    { type: "unheard of", __proto__: { polluted: true } },
    null,
    7,
  ];
  const row = call(7, {
    target: HOSTILE[0],
    error: HOSTILE[4],
    client: HOSTILE[1],
    outcome: HOSTILE[5],
    session: HOSTILE[4],
    method: HOSTILE[5],
    callId: HOSTILE[6],
    job: HOSTILE[8],
  });
  const { drawer } = await opened({
    row,
    request: asked({ name: HOSTILE[0], arguments: bad }),
    answer: answered({ content, structuredContent: bad }),
    meanwhile: [raw({ method: HOSTILE[0], params: bad }), { text: "{cut", size: 99 }],
    output: HOSTILE.join("\n"),
    traceback: HOSTILE[5],
    notes: HOSTILE,
    definedAt: HOSTILE[0],
  });
  const tags = new Set([...drawer.querySelectorAll("*")].map((one) => one.tagName.toLowerCase()));
  for (const tag of ["img", "script", "a", "svg", "iframe", "link", "style"]) assert.ok(!tags.has(tag), tag);
  assert.equal(drawer.querySelectorAll("input").length, 1, "the field for a note");
  for (const one of drawer.querySelectorAll("*")) {
    for (const name of one.getAttributeNames()) assert.doesNotMatch(name, /^on|^href|^src|commandlinker/);
  }
  assert.doesNotMatch(drawer.textContent ?? "", /[\u0000-\u0008\u000b-\u001f\u202a-\u202e]/);
  assert.ok((drawer.textContent?.length ?? 0) < 100_000);
});

test("only raster images are shown, as data", async () => {
  const { drawer } = await opened({ answer: answered({ content: [{ type: "image", mimeType: "image/png", data: "iVBORw0KGgo=" }] }) });
  assert.deepEqual(
    [...drawer.querySelectorAll("img")].map((one) => [one.getAttribute("src"), one.alt]),
    [["data:image/png;base64,iVBORw0KGgo=", "image/png, 9 B"]],
  );
});

test("a long text can be seen whole", async () => {
  const { drawer } = await opened({ answer: answered({ content: [{ type: "text", text: "x".repeat(9_000) }] }) });
  const result = byId(drawer, "call-result");
  assert.match(result.textContent ?? "", /… 5,000 more/);
  click([...result.querySelectorAll("button")].find((one) => one.textContent === "show all 9,000 characters") as Element);
  assert.equal(result.querySelector("pre")?.textContent?.length, 9_000);
});

test("an answer of which only the beginning is kept says so", async () => {
  const { drawer } = await opened({ answer: { text: '{"jsonrpc":"2.0","res', size: 1_000_000 }, request: null });
  assert.match(byId(drawer, "call-result").textContent ?? "", /first 21 bytes of 1,000,000 bytes are kept/);
  assert.match(byId(drawer, "call-arguments").textContent ?? "", /kept no longer/);
});

test("an error answer shows code, message and data", async () => {
  const { drawer } = await opened({
    answer: raw({ jsonrpc: "2.0", id: 1, error: { code: -32602, message: "no tool", data: { known: "a" } } }),
  });
  assert.match(byId(drawer, "call-result").textContent ?? "", /error -32602 no tool.*"known": "a"/s);
});

test("without an answer from the kernel the drawer says why", async () => {
  const { tell, element } = panel(callsPanel, () => Promise.reject(new Error("the kernel has not answered within 10 s")));
  tell({ type: "calls", rows: [call(7)] });
  click(all(element, "calls-row")[0] as Element);
  await settled();
  assert.match(byId(element, "call-detail").textContent ?? "", /has not answered within 10 s/);
});

test("a kernel that begins anew is shown anew", () => {
  const { made, tell, names } = panel(callsPanel);
  tell({ type: "calls", rows: calls(100, 120) }, { type: "openCalls", rows: [running()] });
  made.reset();
  tell({ type: "calls", rows: [call(1, { target: "first" })] });
  assert.deepEqual([names(), all(made.element, "running-row").length], [["first"], 0]);
});

test("waiting for an agent turns into its first session", () => {
  const { tell, element, gone } = panel(connectPanel);
  const snippet = { client: "claude-code", title: "Claude Code", what: "Type this.", text: "claude mcp add", then: "It says Connected." };
  tell({
    type: "state",
    name: "flights",
    url: "ws://127.0.0.1:1/mcp",
    since: 940,
    tools: ["top_routes"],
    notices: ["port taken"],
    connect: [snippet],
  });
  assert.equal(byId(element, "connect-who").textContent, "waiting for your agent…");
  assert.match(byId(element, "connect-snippet").textContent ?? "", /Type this\..*claude mcp add.*It says Connected/s);
  assert.match(byId(element, "connect-offered").textContent ?? "", /1 tool.*top_routes/);
  assert.equal(byId(element, "connect-notices").textContent, "port taken");
  tell({ type: "sessions", rows: [session("s1", { client: "codex", calls: 3 })], open: 1 });
  assert.match(byId(element, "connect-session").textContent ?? "", /1codex.*connected for 100 s3 calls/);
  const line = byId(element, "connect-session");
  tell({ type: "sessions", rows: [session("s1", { client: "codex", calls: 4 })], open: 1 });
  assert.deepEqual([byId(element, "connect-session"), line.querySelector("button")?.textContent], [line, "4 calls"]);
  click(line.querySelector("button") as Element);
  assert.deepEqual(gone, [["calls", { session: "s1" }]]);
});

test("the snippet of the chosen host is copied, and remembered", async () => {
  const { tell, element, copied, link: around } = panel(connectPanel);
  const snippet = (client: string) => ({ client, title: client, what: "", text: `paste ${client}` });
  tell({ type: "state", name: "flights", url: "ws://x", connect: [snippet("a"), snippet("b")] });
  const host = byId(element, "connect-host") as HTMLSelectElement;
  host.selectedIndex = 1;
  host.dispatchEvent(new (window as unknown as { Event: typeof Event }).Event("change"));
  click(byId(element, "connect-copy"));
  await settled();
  assert.deepEqual([copied, around.remember("connect.host")], [["paste b"], "b"]);
});

test("sessions are told apart, followed, and shown with all of their facts", () => {
  const { tell, element, gone } = panel(sessionsPanel);
  const rows = [
    session("s1", { client: "codex" }),
    session("s2", { client: "codex", running: 1 }),
    session("s3", { until: 990, closeCode: 1001, closeReason: "bye" }),
  ];
  tell({ type: "sessions", rows, open: 2 });
  const marks = [...element.querySelectorAll(".mcpw-badge")].map((one) => [one.textContent, one.className]);
  assert.equal(new Set(marks.map(String)).size, 3);
  assert.equal(byId(element, "sessions-count").textContent, "2 open, 1 ended lately");
  click(all(element, "sessions-row")[1] as Element);
  assert.deepEqual(gone, [["calls", { session: "s2" }]]);
  click(all(element, "session-more")[2] as Element);
  assert.match(byId(element, "session-detail").textContent ?? "", /ended.*1001 bye/);
  tell({ type: "sessions", gone: ["s3"], open: 2 });
  assert.deepEqual([all(element, "sessions-row").length, element.querySelector("[data-testid=session-detail]")], [2, null]);
});

test("what is written beside a call stands there, in its row too, until it is taken away", async () => {
  const one = panel(callsPanel, (question) =>
    question.type === "annotate" ? { type: "done", re: 1, ok: true, sentence: "Written beside it." } : detail({ annotations: ["old"] }),
  );
  one.tell({ type: "calls", rows: [call(7)] });
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  const notes = () => [...byId(one.element, "call-notes").children].map((each) => each.textContent);
  const field = byId(one.element, "call-note") as HTMLInputElement;
  field.value = " <b>slow</b> ";
  press(field, "Enter");
  await settled();
  drawFrames();
  assert.deepEqual(notes(), ["old", "<b>slow</b>"]);
  assert.deepEqual(one.asked.at(-1), { type: "annotate", seq: 7, text: "<b>slow</b>" });
  assert.match(all(one.element, "calls-row")[0]?.textContent ?? "", /✎/);
  click(byId(one.element, "call-note-away"));
  await settled();
  assert.deepEqual([notes(), one.asked.at(-1)], [[], { type: "annotate", seq: 7, text: "" }]);
});

test("a call is sent again with what was edited, and the new one is shown", async () => {
  const one = panel(callsPanel, (question) => {
    if (question.type === "resend") return { type: "resent", re: 1, sentence: "Sent as call 12.", seq: 12 };
    return question.type === "getDetail" && question.seq === 12
      ? detail({ row: call(12, { target: "again" }) })
      : detail({ resend: "yes", arguments: '{\n  "n": 1\n}' });
  });
  one.tell({ type: "calls", rows: [call(7)] });
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  const area = byId(one.element, "call-resend-arguments") as HTMLTextAreaElement;
  assert.equal(area.value, '{\n  "n": 1\n}');
  area.value = '{"n": 2}';
  click(byId(one.element, "call-resend-send"));
  await settled();
  await settled();
  assert.deepEqual(
    one.asked.filter(({ type }) => type === "resend"),
    [{ type: "resend", seq: 7, arguments: '{"n": 2}' }],
  );
  assert.match(byId(one.element, "call-detail").textContent ?? "", /again/);
});

test("what destroys something is sent again only when that was confirmed", async () => {
  const one = panel(callsPanel, (question) =>
    question.type === "resend" ? { type: "done", re: 1, ok: false, sentence: "no" } : detail({ resend: "asks", arguments: "{}" }),
  );
  one.tell({ type: "calls", rows: [call(7)] });
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  click(byId(one.element, "call-resend-send"));
  assert.equal(one.asked.filter(({ type }) => type === "resend").length, 0);
  click(byId(one.element, "confirm-yes"));
  await settled();
  assert.deepEqual(one.asked.at(-1), { type: "resend", seq: 7, arguments: "{}", sure: true });
});

test("two calls stand side by side as the kernel compares them, with the lines that differ marked", async () => {
  const asks = '{"name":"f","arguments":{"a":1,"b":2}}';
  const one = panel(callsPanel, (question) => {
    if (question.type !== "compare") return detail(question.type === "getDetail" && question.seq === 8 ? { row: call(8) } : {});
    const result = { left: '{"n":1,"same":[1,2]}', right: '{"same":[1,2],"n":2}', differences: 1 };
    return { type: "compared", re: 1, arguments: { left: asks, right: asks, differences: 0 }, result };
  });
  one.tell({ type: "calls", rows: [call(7), call(8)] });
  click(all(one.element, "calls-row")[1] as Element);
  await settled();
  click(byId(one.element, "call-compare"));
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  assert.match(byId(one.element, "compare-arguments").textContent ?? "", /Arguments the same/);
  const differing = [...byId(one.element, "compare-result").querySelectorAll(".mcpw-differs")].map((row) => row.textContent);
  assert.deepEqual(differing, ['  "n": 1,≠  "n": 2,']);
  assert.deepEqual(one.asked.at(-1), { type: "compare", seq: 7, other: 8 });
  click(byId(one.element, "compare-stop"));
  assert.ok(byId(one.element, "call-detail"));
});

test("of what is not there to be compared it is said which call it is, and what the kernel refuses in its words", async () => {
  let refused = false;
  const one = panel(callsPanel, (question) => {
    if (question.type !== "compare") return detail(question.type === "getDetail" && question.seq === 8 ? { row: call(8) } : {});
    if (refused) return { type: "done", re: 1, ok: false, sentence: "No record of call 7 is kept" };
    const result = { left: '{"n":1}', right: "", differences: 1 };
    return { type: "compared", re: 1, arguments: { left: "{}", right: '{"x": 1.0}', differences: 0 }, result };
  });
  one.tell({ type: "calls", rows: [call(7), call(8)] });
  click(all(one.element, "calls-row")[1] as Element);
  await settled();
  click(byId(one.element, "call-compare"));
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  assert.match(byId(one.element, "compare-result").textContent ?? "", /not the same; kept no longer, or too long to be shown: #8$/);
  assert.match(byId(one.element, "compare-arguments").textContent ?? "", /Arguments the same/, "the kernel says so");
  refused = true;
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  assert.match(byId(one.element, "call-detail").textContent ?? "", /No record of call 7 is kept/);
});

test("what crossed meanwhile is named, a reply by what it replies to", async () => {
  const { drawer } = await opened({
    meanwhile: [
      raw({ method: "notifications/progress", params: { progress: 1 } }),
      raw({ id: 1, method: "elicitation/create", params: { message: "Really?" } }),
      raw({ id: 1, result: { action: "accept" } }),
      raw({ id: 9, error: { code: 1 } }),
    ],
    notes: ["asked the person: accepted after 2 s"],
  });
  const section = byId(drawer, "call-meanwhile-section");
  const titles = [...section.querySelectorAll(".mcpw-part-title")].map((title) => title.textContent);
  assert.deepEqual(titles, ["notifications/progress", "elicitation/create", "reply to elicitation/create", "reply to id 9"]);
  assert.match(section.textContent ?? "", /accept/);
  assert.match(byId(drawer, "call-what-it-did-section").textContent ?? "", /^What it didasked the person/);
});

test("a row says what the call was called with, as text", () => {
  const one = panel(callsPanel);
  one.tell({ type: "calls", rows: [call(1, { target: "revenue", arguments: "region='EMEA', n=<b>5" })] });
  const cell = all(one.element, "calls-row")[0]?.querySelector(".mcpw-arguments");
  assert.equal(cell?.textContent, "region='EMEA', n=<b>5");
  assert.ok(cell?.parentElement?.title.startsWith("revenue(region='EMEA', n=<b>5)"));
});

test("beside the count stands how many the kernel keeps, and a way to have them all", async () => {
  const one = panel(callsPanel, (question) => {
    if (question.type !== "getOlder") return detail();
    return { type: "olderCalls", re: 1, rows: calls(Math.max(1, question.before - question.limit), question.before - 1), oldest: 1 };
  });
  one.tell({ type: "calls", rows: calls(2_001, 2_400), oldest: 1, newest: 2_400 });
  assert.equal(byId(one.element, "calls-rest").textContent, "of 2,400 kept: load them");
  click(byId(one.element, "calls-load-all"));
  for (let turn = 0; turn < 20; turn += 1) await settled();
  drawFrames();
  assert.equal(byId(one.element, "calls-rest").hidden, true);
  assert.equal(byId(one.element, "calls-counts").textContent, "2,400");
  assert.deepEqual(
    one.asked.map((question) => "before" in question && question.before),
    [2_001, 1_501, 1_001, 501],
  );
});

test("loading all of it ends where somebody stops it, and where the kernel is not heard", async () => {
  let refuse = false;
  const one = panel(callsPanel, (question) => {
    if (question.type !== "getOlder" || refuse) throw new Error("the connection was lost");
    return { type: "olderCalls", re: 1, rows: calls(question.before - question.limit, question.before - 1), oldest: 1 };
  });
  one.tell({ type: "calls", rows: calls(9_001, 9_002), oldest: 1, newest: 9_002 });
  click(byId(one.element, "calls-load-all"));
  assert.equal(byId(one.element, "calls-load-all").textContent, "stop");
  click(byId(one.element, "calls-load-all"));
  for (let turn = 0; turn < 20; turn += 1) await settled();
  assert.deepEqual([one.asked.length, byId(one.element, "calls-load-all").textContent], [1, "load them"]);
  refuse = true;
  click(byId(one.element, "calls-load-all"));
  for (let turn = 0; turn < 20; turn += 1) await settled();
  assert.deepEqual([one.asked.length, byId(one.element, "calls-load-all").textContent], [2, "load them"]);
});

test("what came of sending it again is brought into view, and the row of the new call is the chosen one", async () => {
  let answer: Answer = { type: "done", re: 1, ok: false, sentence: "The arguments are to be one JSON object" };
  const one = panel(callsPanel, (question) =>
    question.type === "resend" ? answer : detail({ row: call("seq" in question ? question.seq : 7), resend: "yes", arguments: "{}" }),
  );
  const seen: (string | null)[] = [];
  Object.getPrototypeOf(document.createElement("div")).scrollIntoView = function (this: HTMLElement) {
    seen.push(this.textContent);
  };
  const chosen = () => {
    drawFrames();
    return [...one.element.querySelectorAll("[data-testid=calls-row].mcpw-active")].map((row) => row.textContent);
  };
  one.tell({ type: "calls", rows: [call(7, { target: "old" })] });
  click(all(one.element, "calls-row")[0] as Element);
  await settled();
  click(byId(one.element, "call-resend-send"));
  await settled();
  assert.deepEqual(seen, ["The arguments are to be one JSON object"]);
  assert.match(chosen().join(), /old/);
  answer = { type: "resent", re: 1, sentence: "Sent as call 9", seq: 9 };
  click(byId(one.element, "call-resend-send"));
  await settled();
  assert.deepEqual(chosen(), [], "its row is still to come");
  one.tell({ type: "calls", rows: [call(8, { target: "other" }), call(9, { target: "new" })] });
  assert.match(chosen().join(), /new/);
  assert.equal(chosen().length, 1);
});
