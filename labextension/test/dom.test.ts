import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { button, el, inLine, setText, shown } from "../src/view/dom";
import { byId, click } from "./document";
import { HOSTILE } from "./kernel";

const ACTS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

test("hostile texts become text, and nothing else", () => {
  for (const text of HOSTILE) {
    const element = el("div", { title: text, aria: { label: text } }, shown(text, 300));
    assert.deepEqual(
      [...new Set([...element.querySelectorAll("*")].map((one) => one.tagName))].filter((tag) => !["BDI", "SPAN"].includes(tag)),
      [],
    );
    for (const seen of [element.textContent, element.title, element.getAttribute("aria-label")]) assert.doesNotMatch(seen ?? "", ACTS);
  }
});

test("what would act is seen as it is written in code", () => {
  assert.equal(shown("a\u202eb\u001b[1m\u0000\ud800").textContent, "a\\u202eb\\x1b[1m\\x00\\ud800");
  assert.equal(shown("a\nb\tc").textContent, "a\\nb\\tc");
  assert.equal(shown("a\nb\tc\r", 99, { lines: true }).textContent, "a\nb\tc\\r");
  assert.equal(shown("\u{1f600} ä").textContent, "\u{1f600} ä");
  assert.equal(inLine("a\u2066\nb"), "a\\u2066\\nb");
});

test("a long text is cut, and says by how much", () => {
  assert.equal(shown("x".repeat(1_234), 234).textContent, `${"x".repeat(234)}… 1,000 more`);
  assert.equal(shown("ab\u{1f600}", 3).textContent, "ab… 2 more"); // No half character.
  assert.equal(inLine("abcdef", 3), "abc…");
  assert.equal(inLine("abc", 3), "abc");
});

test("elements get roles, labels and listeners", () => {
  let clicks = 0;
  const made = button("Stop", () => clicks++, { testid: "stop", aria: { pressed: false, label: undefined } });
  click(byId(el("div", {}, made), "stop"));
  assert.deepEqual([clicks, made.getAttribute("type")], [1, "button"]);
  assert.deepEqual([made.getAttribute("aria-pressed"), made.hasAttribute("aria-label")], ["false", false]);
});

test("a text that is the same is not set again", () => {
  const element = el("span", {}, "12");
  const before = element.firstChild;
  setText(element, "12");
  assert.equal(element.firstChild, before);
  setText(element, "13");
  assert.equal(element.textContent, "13");
});

test("nothing in the view takes markup, evaluates texts or makes links", () => {
  const forbidden =
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|createContextualFragment|srcdoc|\.href\s*=|el\("a"/;
  const files = readdirSync("src", { recursive: true, encoding: "utf-8" }).filter((name) => name.endsWith(".ts"));
  assert.ok(files.length > 20);
  for (const name of files) assert.doesNotMatch(readFileSync(join("src", name), "utf-8"), forbidden, name);
});

test("nothing in the view knows Jupyter or a framework", () => {
  const files = readdirSync("src/view", { recursive: true, encoding: "utf-8" }).filter((name) => name.endsWith(".ts"));
  for (const name of files) {
    const imported = [...readFileSync(join("src/view", name), "utf-8").matchAll(/from "([^"]+)"/g)].map((found) => found[1] ?? "");
    assert.deepEqual(
      imported.filter((one) => !one.startsWith(".") && one !== "uplot"),
      [],
      name,
    );
  }
});
