/**
 * Starting and stopping a kernel's server by running a line in it. The line leaves no name in the notebook's namespace, and
 * counts as no cell. Each returns a sentence for people when it did not work, and nothing when it did.
 */
import type { Kernel, KernelMessage, ServiceManager } from "@jupyterlab/services";

const START = '__import__("mcp_workbench").start()';
const STOP = '__import__("mcp_workbench").stop()';
const INSTALL = "This kernel's environment has no mcp_workbench. Run in a cell, with the place of its clone, then start again: %pip install /path/to/mcp_workbench";

export async function startServer(services: ServiceManager.IManager, kernelId: string): Promise<string | undefined> {
  return run(services, kernelId, START);
}

export async function stopServer(services: ServiceManager.IManager, kernelId: string): Promise<string | undefined> {
  return run(services, kernelId, STOP);
}

/** Whether a line sent now has to wait for a cell. */
export function isBusy(services: ServiceManager.IManager, kernelId: string): boolean {
  return modelOf(services, kernelId)?.execution_state === "busy";
}

async function run(services: ServiceManager.IManager, kernelId: string, code: string): Promise<string | undefined> {
  await services.ready;
  const model = modelOf(services, kernelId);
  if (model === undefined) {
    return "This kernel does not run any more.";
  }
  const language = services.kernelspecs.specs?.kernelspecs[model.name]?.language ?? "python";
  if (language.toLowerCase() !== "python") {
    return `This kernel speaks ${language}; mcp_workbench serves Python kernels.`;
  }
  // A connection of its own: its comms stay those of the notebook.
  const kernel = services.kernels.connectTo({ model, handleComms: false });
  try {
    const reply = await kernel.requestExecute({ code, silent: true, store_history: false, stop_on_error: false, allow_stdin: false }).done;
    return complaint(reply.content);
  } catch {
    return "The kernel ended or restarted before it had answered.";
  } finally {
    kernel.dispose();
  }
}

function modelOf(services: ServiceManager.IManager, kernelId: string): Kernel.IModel | undefined {
  return [...services.kernels.running()].find((one) => one.id === kernelId);
}

function complaint(content: KernelMessage.IExecuteReplyMsg["content"]): string | undefined {
  if (content.status === "ok") {
    return undefined;
  }
  if (content.status !== "error") {
    return "The kernel dropped it, because a cell before it failed or was interrupted: try again.";
  }
  return content.ename === "ModuleNotFoundError" && content.evalue.includes("'mcp_workbench'")
    ? INSTALL
    : `${content.ename}: ${content.evalue}`;
}
