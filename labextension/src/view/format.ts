/** Numbers as people read them. */

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** `85 µs`, `1.24 ms`, `3.1 s`; an en dash for what is not known. */
export function duration(us: number | null | undefined): string {
  if (us === null || us === undefined) return "–";
  if (us < 999.5) return `${us < 10 ? us.toFixed(1) : us.toFixed(0)} µs`;
  if (us < 999_500) return `${threeDigits(us / 1e3)} ms`;
  if (us < 60e6) return `${(us / 1e6).toFixed(1)} s`;
  return `${Math.floor(us / 60e6)} min ${Math.floor((us % 60e6) / 1e6)} s`;
}

export function count(n: number): string {
  return n.toLocaleString("en");
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${threeDigits(n / 1e3)} kB`;
  if (n < 1e9) return `${threeDigits(n / 1e6)} MB`;
  return `${threeDigits(n / 1e9)} GB`;
}

/** `just now`, `8 s ago`, `3 min ago`. */
export function ago(seconds: number): string {
  if (seconds < 1) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}
