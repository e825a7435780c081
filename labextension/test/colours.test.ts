import "./panel_window";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Colours } from "../src/view/charts/colours";

/** The stylesheet of a theme, as it is when it has been fetched. */
function stylesheet(colour: string): HTMLStyleElement {
  const style = document.createElement("style");
  style.textContent = `.mcpw-figure-ink-text { color: ${colour} }`;
  return style;
}

test("colours are read again when a stylesheet has come that was fetched after its theme was named", async () => {
  const before = stylesheet("rgb(10, 10, 10)");
  document.head.append(before);
  const told: string[] = [];
  const colours: Colours = new Colours(() => told.push(colours.palette().text));
  document.body.replaceChildren(colours.element);
  colours.follow();
  assert.equal(colours.palette().text, "rgb(10, 10, 10)");

  document.body.dataset.jpThemeName = "dark";
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(told, [], "they are the same, still");
  const after = stylesheet("rgb(240, 240, 240)");
  before.replaceWith(after);
  after.dispatchEvent(new Event("load"));
  assert.deepEqual(told, ["rgb(240, 240, 240)"]);

  colours.dispose();
  after.replaceWith(stylesheet("rgb(1, 1, 1)"));
  document.body.dispatchEvent(new Event("load"));
  assert.equal(told.length, 1, "it listens no longer");
});
