/**
 * What other extensions of JupyterLab may use: `IMcpWorkbench` as a requirement of their plugin, and the ids in `commands.ts`.
 * It tells what is known of the kernel that the person works with, and opens panels; it knows no widget.
 */
import { Token } from "@lumino/coreutils";
import type { ISignal } from "@lumino/signaling";

/** A kernel that serves, as the Jupyter server's extension names it. */
export interface IServer {
  readonly kernelId: string;
  readonly name: string;
  /** Path of its notebook; null where it has none. */
  readonly notebook: string | null;
  /** Seconds since 1970. */
  readonly since: number;
  /** Path of its view; absent where it has none, as with an older mcp_workbench in the kernel. */
  readonly view?: string;
}

/** How a kernel stands with MCP. */
export type Situation =
  | { readonly kind: "noKernel" }
  /** The Jupyter server has not answered yet. */
  | { readonly kind: "asking"; readonly kernelId: string }
  /** The Jupyter server cannot be asked; the sentence says why, and what to do. */
  | { readonly kind: "unreachable"; readonly sentence: string; readonly commands: readonly string[] }
  | { readonly kind: "silent"; readonly kernelId: string }
  | { readonly kind: "serving"; readonly kernelId: string; readonly server: IServer };

export interface IMcpWorkbench {
  /** Of the kernel of the notebook or console that was active last. */
  readonly situation: Situation;
  /** It may be another. */
  readonly changed: ISignal<IMcpWorkbench, void>;
  /** Show the sidebar, or one panel of that kernel in the main area. */
  open(panel?: string): Promise<void>;
}

export const IMcpWorkbench = new Token<IMcpWorkbench>(
  "mcp-workbench:IMcpWorkbench",
  "Which kernels are MCP servers, and panels that show them.",
);
