/** What calls wait for, in words that keep up with the clock: a kernel tells a reason seldom, and its seconds would stand still. */
import { elapsed } from "./format";
import type { Kernel } from "./messages";

const CELL = /(cell (\[[^\]]*\])), running [\d.,]+ (?:s|min|h)/;

/** A reason of now. Args: `kernel` tells since when which cell runs; another cell's reason stays as it was told. */
export function waitsNow(waits: string, kernel: Pick<Kernel, "cell" | "cellSince"> | undefined, now: number): string {
  const { cell, cellSince } = kernel ?? {};
  return waits.replace(CELL, (told, name: string, number: string) =>
    cell === number && cellSince ? `${name}, running ${elapsed(now - cellSince)}` : told,
  );
}
