/** What stands where there is nothing to see: why, and what to do about it. Texts only, never markup. */
import type { Situation } from "./tokens";
import type { Workbench } from "./workbench";

const NO_KERNEL = "No kernel. Open a notebook or a console: this follows the one that you work in.";
const ASKING = "Asking which kernels serve …";
const NO_VIEW = "This kernel serves, but cannot be watched from here. Upgrade mcp_workbench in its environment and restart it; in a cell:";
const UPGRADE = "%pip install --upgrade /path/to/mcp_workbench";
const SILENT = "No MCP server runs in this kernel.";

export class Notice {
  constructor(private readonly workbench: Workbench) {
    this.node.className = "mcp-workbench-notice";
    this.node.setAttribute("role", "status");
  }

  readonly node = document.createElement("div");

  /** Say how a kernel stands; nothing when it serves. */
  show(situation: Situation): void {
    const said = "kernelId" in situation ? this.workbench.saidOf(situation.kernelId) : "";
    const parts = [...this.parts(situation), ...(said === "" ? [] : [paragraph(said, "mcp-workbench-said")])];
    this.node.hidden = parts.length === 0;
    this.node.replaceChildren(...parts);
  }

  private parts(situation: Situation): HTMLElement[] {
    switch (situation.kind) {
      case "noKernel":
        return [paragraph(NO_KERNEL)];
      case "asking":
        return [paragraph(ASKING)];
      case "unreachable":
        return [paragraph(situation.sentence), ...situation.commands.map(code), this.button("Ask again", () => this.workbench.refresh())];
      case "silent":
        return [paragraph(SILENT), this.button("Start", () => this.workbench.start(situation.kernelId))];
      case "serving":
        return situation.server.view === undefined ? [paragraph(NO_VIEW), code(UPGRADE)] : [];
    }
  }

  private button(label: string, act: () => Promise<void>): HTMLElement {
    const button = document.createElement("button");
    button.className = "jp-mod-styled jp-mod-accept";
    button.textContent = label;
    button.onclick = () => {
      button.disabled = true;
      void act();
    };
    return button;
  }
}

function paragraph(text: string, className = ""): HTMLElement {
  const element = document.createElement("p");
  element.textContent = text;
  element.className = className;
  return element;
}

function code(text: string): HTMLElement {
  const element = document.createElement("pre");
  element.textContent = text;
  return element;
}
