/** The drawer beside a list of calls, or below a picture of them: one call, or two compared. Whoever has it says which. */
import { renderComparison } from "./comparison";
import { el, fill } from "./dom";
import { renderDetail, renderWaiting, type Titled } from "./drawer";
import type { Detail } from "./messages";
import type { Answer, Link } from "./panel";

export interface DrawerEvents {
  /** Its button or Esc; what was chosen is to be chosen no more. */
  closed(): void;
  /** It shows another call than was asked for: one that was made in it. */
  made(seq: number): void;
  /** Something was written beside a call. */
  noted(seq: number, text: string): void;
}

export class CallDrawer {
  readonly element = el("div", { class: "mcpw-drawer", role: "complementary", aria: { label: "Call" } });
  private open: number | undefined;
  /** The other call of a comparison. */
  private base: Detail | undefined;

  constructor(
    private readonly link: Link,
    private readonly events: DrawerEvents,
  ) {
    this.element.hidden = true;
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  get isOpen(): boolean {
    return this.open !== undefined;
  }

  /** Show a call. Args: `titled` is said while the kernel is asked. */
  async show(seq: number, titled: Titled): Promise<void> {
    this.open = seq;
    this.element.hidden = false;
    const close = () => this.leave();
    if (!this.element.querySelector("[data-testid=call-detail]"))
      fill(this.element, renderWaiting(titled, this.link.waitsForCells ? "asking; the answer waits for the cell" : "asking…", close));
    let drawn: HTMLElement;
    try {
      const answer = await this.link.ask({ type: "getDetail", seq });
      drawn = answer.type === "detail" ? await this.draw(answer) : renderWaiting(titled, sentenceOf(answer), close);
    } catch (error) {
      drawn = renderWaiting(titled, error instanceof Error ? error.message : String(error), close);
    }
    if (this.open === seq) fill(this.element, drawn);
  }

  /** Returns whether there was something to close. */
  close(): boolean {
    if (this.open === undefined) return false;
    this.open = undefined;
    this.base = undefined;
    this.element.hidden = true;
    fill(this.element);
    return true;
  }

  private draw(detail: Detail): HTMLElement | Promise<HTMLElement> {
    return this.base && this.base.row.seq !== detail.row.seq ? this.compare(this.base, detail) : this.drawOne(detail);
  }

  private async compare(base: Detail, detail: Detail): Promise<HTMLElement> {
    const answer = await this.link.ask({ type: "compare", seq: base.row.seq, other: detail.row.seq });
    if (answer.type === "compared") return renderComparison(base, detail, answer, () => this.stopComparing(detail));
    return renderWaiting(detail.row, sentenceOf(answer), () => this.leave());
  }

  private drawOne(detail: Detail): HTMLElement {
    return renderDetail(detail, this.link, {
      close: () => this.leave(),
      noted: (text) => this.events.noted(detail.row.seq, text),
      resent: (seq) => {
        this.events.made(seq);
        void this.show(seq, detail.row);
      },
      compare: (begins) => {
        this.base = begins ? detail : undefined;
      },
      comparing: this.base !== undefined,
    });
  }

  private stopComparing(detail: Detail): void {
    this.base = undefined;
    fill(this.element, this.drawOne(detail));
  }

  private leave(): void {
    if (this.close()) this.events.closed();
  }

  private key(event: KeyboardEvent): void {
    event.stopPropagation(); // Notebooks have keys of their own.
    if (event.key === "Escape") this.leave();
  }
}

function sentenceOf(answer: Answer): string {
  return "sentence" in answer && answer.sentence ? answer.sentence : "the kernel answered something else";
}
