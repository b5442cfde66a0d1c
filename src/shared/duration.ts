/** Largest first, as they are written. */
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;

const DURATION = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+(?:\\.\\d+)?)${unit})?`).join("")}$`);

/** Milliseconds of `60s`, `1h30m`, `1.5h`, `2d` or `500ms`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const amounts = text === "" ? undefined : DURATION.exec(text)?.slice(1);
  if (amounts === undefined) return undefined;
  const ms = Math.round(
    UNITS.reduce((total, [, unitMs], position) => total + Number(amounts[position] ?? 0) * unitMs, 0),
  );
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest text that `parseDuration` reads as so many whole milliseconds. */
export function printDuration(ms: number): string {
  if (ms === 0) return "0s";
  let rest = ms;
  let printed = "";
  for (const [unit, unitMs] of UNITS) {
    const amount = Math.floor(rest / unitMs);
    if (amount > 0) printed += `${amount}${unit}`;
    rest -= amount * unitMs;
  }
  return printed;
}
