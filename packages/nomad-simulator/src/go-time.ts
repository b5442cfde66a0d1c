/** Times and durations as Go writes and reads them. */

export const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** The second last written: most times of one raft entry share it. */
let lastSecond: { readonly seconds: bigint; readonly text: string } = { seconds: -1n, text: "" };

/** RFC 3339 with nanoseconds, trailing zeros dropped: `2026-11-23T11:13:19.19247386Z`. */
export function goTime(ns: bigint): string {
  const seconds = ns / NS_PER_SECOND;
  if (seconds !== lastSecond.seconds) {
    lastSecond = { seconds, text: new Date(Number(seconds) * 1000).toISOString().slice(0, 19) };
  }
  const fraction = (ns % NS_PER_SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${lastSecond.text}Z` : `${lastSecond.text}.${fraction}Z`;
}

const UNIT_NS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ns: 1,
    us: 1e3,
    µs: 1e3,
    μs: 1e3,
    ms: 1e6,
    s: 1e9,
    m: 60e9,
    h: 3600e9,
  }),
);

/** Go's time.ParseDuration, in ms: "1m30s", "-5ms", "0". Undefined for what Go refuses, such as "5". */
export function parseGoDurationMs(text: string): number | undefined {
  const match = /^([+-]?)(.*)$/s.exec(text);
  const sign = match?.[1] === "-" ? -1 : 1;
  const body = match?.[2] ?? "";
  if (body === "0") return 0;
  if (body === "") return undefined;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let totalNs = 0;
  while (part.lastIndex < body.length) {
    const found = part.exec(body);
    if (found === null) return undefined;
    totalNs += Number(found[1]) * (UNIT_NS.get(found[2] as string) as number);
  }
  return totalNs >= 2 ** 63 ? undefined : (sign * totalNs) / 1e6;
}
