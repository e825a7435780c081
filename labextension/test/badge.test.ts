import assert from "node:assert/strict";
import test from "node:test";
import { badge, colourOf, markOf } from "../src/view/badge";
import { byId } from "./document";
import { HOSTILE } from "./kernel";

test("a session is known by its number, or its first letters", () => {
  assert.deepEqual(["s12", "s3", "http-abc", "\u202e<>", "7f3a"].map(markOf), ["12", "3", "ht", "?", "7f"]);
});

test("sessions that follow each other have different colours, and every id has one", () => {
  for (let n = 1; n < 40; n += 1) assert.notEqual(colourOf(`s${n}`), colourOf(`s${n + 1}`));
  for (const id of ["s5", "http-abc", ...HOSTILE]) assert.ok([0, 1, 2, 3, 4, 5, 6, 7].includes(colourOf(id)));
});

test("its title says which session of whom", () => {
  const box = document.createElement("div");
  box.append(badge("s3", "codex"));
  (box.firstElementChild as HTMLElement).dataset.testid = "badge";
  assert.deepEqual([byId(box, "badge").title, byId(box, "badge").getAttribute("aria-label")], ["session s3, codex", "session s3, codex"]);
});
