/** The mark by which a session is known at a glance: a number and a colour that stay with its id, in every panel. */
import { el } from "./dom";

const COLOURS = 8;

/** `s12` is 12; an id that does not end in a number is its first two letters. */
export function markOf(session: string): string {
  return /(\d{1,4})$/.exec(session)?.[1] ?? (session.replace(/[^\p{L}\p{N}]/gu, "").slice(0, 2) || "?");
}

/** From 0 to 7; neighbours differ. */
export function colourOf(session: string): number {
  const digits = /(\d{1,9})$/.exec(session)?.[1];
  if (digits) return Number(digits) % COLOURS;
  let sum = 0;
  for (const character of session) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return sum % COLOURS;
}

/** The mark of a session; its title says which it is. */
export function badge(session: string, client = ""): HTMLElement {
  const title = client ? `session ${session}, ${client}` : `session ${session}`;
  return el("span", { class: `mcpw-badge mcpw-colour-${colourOf(session)}`, title, role: "img", aria: { label: title } }, markOf(session));
}
