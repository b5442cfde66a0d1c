/** Nomad's times are ns since 1970: ms of them; null where there is none. */
export function msOfNanos(nanos: unknown): number | null {
  return typeof nanos === "number" && nanos > 0 ? Math.floor(nanos / 1e6) : null;
}

/** Whether a number, or its digits, can hardly be anything but such a time. */
export function isNanos(value: unknown): boolean {
  return /^1\d{18}$/.test(String(value));
}
