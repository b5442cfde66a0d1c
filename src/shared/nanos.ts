const NANOS_PER_MS = 1e6;

/** RFC 3339 of nanoseconds since 1970, as Nomad has times; undefined where there are none. */
export function timeOfNanos(nanoseconds: number): string | undefined {
  return nanoseconds > 0 ? new Date(nanoseconds / NANOS_PER_MS).toISOString() : undefined;
}
