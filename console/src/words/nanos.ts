/** Nomad's times are ns since 1970: ms of them; null where there is none. */
export function msOfNanos(nanos: unknown): number | null {
  return typeof nanos === "number" && nanos > 0 ? Math.floor(nanos / 1e6) : null;
}
