/**
 * A field for the language of filters. The kernel reads what is typed: what it understands is applied, and of what it does not a
 * sentence stands below the field with the place marked, while the filter before stays. Knows no panel; it is told which it is for.
 */
import { button, el, fill, shown } from "./dom";
import type { FilterChecked } from "./messages";
import type { Answer, Link } from "./panel";

const TYPING_MS = 200;

/** What it looks like, by example. */
const BY_EXAMPLE: readonly (readonly [string, string])[] = [
  ["tool:sum  method:tools/call  uri:df://*", "the tool, the method, the resource; * stands for anything"],
  ["session:s3  client:claude*  principal:ada", "who; of messages no principal"],
  ["outcome:error  code:-32602  error:airport", "how it ended; error is all that failed"],
  ["dur:>5ms  wait:>1s  run:10ms..1s", "how long; of calls only"],
  ["size:>10k  tokens:>1000", "bytes of the text, and a fourth of that"],
  ["dir:in  kind:notification  id:7", "which way, what it is"],
  ["at:10:05..10:07  at:-5m..", "when"],
  ['args.region:EMEA  result.total:>10  text:"foo"', "what stands in it; a word alone is text:"],
  ["a b   a | b   -a   (a | b) c", "and, or, not, together"],
];

let fields = 0;

export interface FieldOptions {
  link: Link;
  /** Name of the panel, as `CheckFilter` takes it. */
  panel: string;
  label: string;
  /** What a filter may look like here. */
  example: string;
  testid: string;
  /** A filter is to be applied; empty: none. */
  applied(text: string): void;
}

export class FilterField {
  /** The field and its button, for a line with other things. */
  readonly line: HTMLElement;
  /** What is wrong, and how it is written, for the place below. */
  readonly below: HTMLElement;
  /** What is applied. */
  text = "";
  private readonly input: HTMLInputElement;
  private readonly wrong = el("div", { class: "mcpw-filter-wrong", role: "alert" });
  private readonly help: HTMLElement;
  private readonly helpButton: HTMLButtonElement;
  private typing: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  constructor(private readonly options: FieldOptions) {
    const id = `mcpw-filter-${++fields}`;
    this.wrong.id = `${id}-wrong`;
    this.wrong.dataset.testid = `${options.testid}-wrong`;
    this.wrong.hidden = true;
    this.input = el("input", {
      class: "mcpw-input mcpw-mono",
      type: "search",
      placeholder: `Filter: ${options.example}`,
      aria: { label: options.label, describedby: this.wrong.id },
      testid: options.testid,
      on: { input: () => this.typed(), keydown: (event: KeyboardEvent) => this.key(event) },
    });
    this.input.spellcheck = false;
    this.input.autocomplete = "off";
    this.help = renderHelp(`${id}-help`);
    this.helpButton = this.makeHelpButton();
    this.line = el("span", { class: "mcpw-filter-field" }, this.input, this.helpButton);
    this.below = el("div", {}, this.wrong, this.help);
  }

  /** Filter by this from now on. */
  show(text: string): void {
    this.input.value = text;
    this.check();
  }

  /** The kernel is another, or heard again: it may understand another language. */
  again(): void {
    if (this.input.value.trim()) this.check(true);
  }

  dispose(): void {
    clearTimeout(this.typing);
    this.asked += 1;
  }

  private typed(): void {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.check(), TYPING_MS);
  }

  private key(event: KeyboardEvent): void {
    event.stopPropagation(); // Notebooks have keys of their own.
    if (event.key === "Enter") this.check();
    if (event.key !== "Escape" || this.helpClosed(event) || !this.input.value) return;
    event.preventDefault();
    this.show("");
  }

  /** Esc closes the help before anything else. Returns whether it was open. */
  private helpClosed(event: KeyboardEvent): boolean {
    if (this.help.hidden) return false;
    event.preventDefault();
    event.stopPropagation();
    this.showHelp(false);
    return true;
  }

  private showHelp(open: boolean): void {
    this.help.hidden = !open;
    this.helpButton.setAttribute("aria-expanded", String(open));
  }

  private check(again = false): void {
    clearTimeout(this.typing);
    const text = this.input.value.trim();
    const asked = ++this.asked;
    if (text === this.text && !again) return this.said();
    if (!text) return this.apply("");
    this.options.link.ask({ type: "checkFilter", panel: this.options.panel, text }).then(
      (answer) => asked === this.asked && this.answered(text, answer),
      (error) => asked === this.asked && this.said(error instanceof Error ? error.message : String(error)),
    );
  }

  private answered(text: string, answer: Answer): void {
    if (answer.type === "filterChecked") {
      if (answer.ok) this.apply(text);
      else this.saidWrong(text, answer);
    } else this.said(answer.type === "done" ? answer.sentence : "the kernel answered something else");
  }

  private apply(text: string): void {
    this.said();
    if (text === this.text) return;
    this.text = text;
    this.options.applied(text);
  }

  private said(sentence = ""): void {
    this.wrong.hidden = !sentence;
    fill(this.wrong, ...(sentence ? [shown(sentence, 500)] : []));
    if (sentence) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  private saidWrong(text: string, { sentence = "", position, nearest }: FilterChecked): void {
    this.said(sentence);
    if (typeof position === "number") this.wrong.prepend(renderPlace(text, position));
    if (nearest && !sentence.includes(nearest)) this.wrong.append(". Near: ", shown(nearest, 60, { class: "mcpw-mono" }));
    if (text !== this.text && this.text) this.wrong.append(". Until then: ", shown(this.text, 80, { class: "mcpw-mono" }));
  }

  private makeHelpButton(): HTMLButtonElement {
    const open = button("?", () => this.showHelp(this.help.hidden));
    open.addEventListener("keydown", (event) => event.key === "Escape" && this.helpClosed(event));
    open.className = "mcpw-button";
    open.title = "How filters are written";
    open.dataset.testid = `${this.options.testid}-help`;
    for (const [name, value] of [
      ["label", open.title],
      ["expanded", "false"],
      ["controls", this.help.id],
    ] as const)
      open.setAttribute(`aria-${name}`, value);
    return open;
  }
}

/** The text with the word marked that begins there. */
function renderPlace(text: string, position: number): HTMLElement {
  const characters = [...text]; // The kernel counts characters, not halves of them.
  const before = characters.slice(0, position).join("");
  const after = characters.slice(position).join("");
  const word = /^\S*/.exec(after)?.[0] ?? "";
  const mark = el("mark", { class: "mcpw-filter-mark" }, word ? shown(word, 80) : "⌃");
  const end = after.slice(word.length);
  return el("div", { class: "mcpw-mono" }, shown(before.slice(-80), 80), mark, ...(end ? [shown(end, 80)] : []));
}

function renderHelp(id: string): HTMLElement {
  const rows = BY_EXAMPLE.flatMap(([example, says]) => [el("dt", { class: "mcpw-mono" }, example), el("dd", {}, says)]);
  const help = el("dl", { class: "mcpw-filter-help", id }, ...rows);
  help.hidden = true;
  return help;
}
