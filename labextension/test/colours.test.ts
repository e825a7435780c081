import "./panel_window";

import assert from "node:assert/strict";
import { test } from "node:test";

import { Colours } from "../src/view/charts/colours";

const frames: (() => void)[] = [];
Object.assign(globalThis, { requestAnimationFrame: (frame: () => void) => frames.push(frame), cancelAnimationFrame: () => {} });

/** The stylesheet of a theme, in place of the one before. */
function themed(colour: string, before?: HTMLStyleElement): HTMLStyleElement {
  const style = document.createElement("style");
  style.textContent = `.mcpw-figure-ink-text { color: ${colour} }`;
  before?.remove();
  document.head.append(style);
  return style;
}

/** Until observers have been told, and the screen was drawn; returns how many frames were asked for. */
async function drawn(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve));
  const asked = frames.splice(0);
  for (const frame of asked) frame();
  return asked.length;
}

test("a chart that was made before it stood anywhere follows the theme of the document it is put into, until it is disposed of", async () => {
  const light = themed("rgb(10, 10, 10)");
  const changes: string[] = [];
  const colours: Colours = new Colours(() => changes.push(colours.palette().text));
  const widget = document.createElement("div");
  widget.append(colours.element);
  colours.follow();
  document.body.replaceChildren(widget);
  assert.equal(colours.palette().text, "rgb(10, 10, 10)");

  themed("rgb(240, 240, 240)", light);
  document.body.dataset.jpThemeName = "dark"; // As JupyterLab does it: when the stylesheet is there.
  document.body.classList.add("dark-too");
  assert.equal(await drawn(), 1, "not while what is around it may be hidden for the change");
  assert.deepEqual(changes, ["rgb(240, 240, 240)"]);
  document.body.classList.add("of-no-matter");
  await drawn();
  assert.equal(changes.length, 1, "nothing is drawn anew for what changes no colour");

  colours.dispose();
  delete document.body.dataset.jpThemeName;
  await drawn();
  assert.equal(changes.length, 1);
});
