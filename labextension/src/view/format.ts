/** How numbers and moments are written, the same in all panels; two digits are enough to compare. */

const UNITS = [
  [1e6, "s"],
  [1e3, "ms"],
  [1, "µs"],
] as const;
const NONE = "–";
const THOUSANDS = new Intl.NumberFormat("en");

/** `870 µs`, `4.2 ms`, `1.3 s`, `205 s`. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return NONE;
  const [size, unit] = UNITS.find(([size]) => us >= size * 0.9995) ?? [1, "µs"];
  const number = us / size;
  return `${number >= 9.95 ? number.toFixed(0) : number.toFixed(1)} ${unit}`;
}

/** How long since, for people: `8 s`, `96 s`, `12 min`, `3.5 h`. */
export function elapsed(seconds: number): string {
  const since = Math.max(0, seconds);
  if (since < 120) return `${since.toFixed(0)} s`;
  return since < 7200 ? `${(since / 60).toFixed(0)} min` : `${(since / 3600).toFixed(1)} h`;
}

/** `just now`, `8 s ago`, `3 min ago`. */
export function ago(seconds: number): string {
  if (seconds < 1) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86400)} d ago`;
}

/** `512 B`, `1.2 kB`, `48 MB`. */
export function bytes(n: number): string {
  for (const [size, unit] of [
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ] as const) {
    if (n >= size * 0.9995) return `${n / size >= 9.95 ? (n / size).toFixed(0) : (n / size).toFixed(1)} ${unit}`;
  }
  return `${n} B`;
}

/** `2,000`. */
export function number(n: number): string {
  return THOUSANDS.format(n);
}

/** `1 call`, `2,000 calls`. */
export function counted(n: number, noun: string): string {
  return `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** The time of day of seconds since 1970: `12:03:11`, or `12:03:11.042`. */
export function moment(seconds: number, { millis = false } = {}): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return NONE;
  const text = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
  return millis ? `${text}.${String(date.getMilliseconds()).padStart(3, "0")}` : text;
}

/** Day and time of seconds since 1970: `2026-05-11 12:03:11`. */
export function date(seconds: number): string {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return NONE;
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")} ${moment(seconds)}`;
}

const WORDS = new Map([
  ["tool_error", "error"],
  ["rpc_error", "error"],
  ["rejected", "refused"],
]);

/** An outcome as a word: `tool_error` reads `error`. */
export function outcomeWord(outcome: string): string {
  return WORDS.get(outcome) ?? outcome;
}

/** Which of three tones an outcome has. */
export function outcomeClass(outcome: string): "good" | "bad" | "odd" {
  const word = outcomeWord(outcome);
  if (word === "ok") return "good";
  return word === "error" || word === "timeout" ? "bad" : "odd";
}
