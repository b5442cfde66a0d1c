import { computed, signal } from "@preact/signals";
import type { Assignment } from "nomad-changefeed-client";
import { api } from "./api.ts";
import { heedSession } from "./session.ts";

const EVERY_MS = 5000;

/** Who does what of the feed's work, as far as this reader may see it; undefined until it is known. */
export const assignments = signal<readonly Assignment[] | undefined>(undefined);

/** A scope that cannot be trusted now, and why. */
export interface Trouble {
  /** `jobs/default` */
  readonly scope: string;
  readonly condition: "stale" | "access-lost";
  readonly reason: string;
  /** RFC 3339: when it was last known to be true. */
  readonly lastOkAt: string | null;
}

export const troubles = computed<readonly Trouble[]>(() =>
  (assignments.value ?? []).flatMap(({ assignment, condition, reason, lastOkAt }) =>
    isScope(assignment) && (condition === "stale" || condition === "access-lost")
      ? [{ scope: assignment, condition, reason: reason ?? "", lastOkAt }]
      : [],
  ),
);

export function isScope(assignment: string): boolean {
  return assignment.includes("/") && !assignment.startsWith("deliver/");
}

/** Keeps it up to date while somebody looks. */
export function watchHealth(): () => void {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async () => {
    try {
      if (!document.hidden) assignments.value = await api(stop.signal).assignments();
    } catch (error) {
      // Whether the bridge is there is said where it is followed.
      heedSession(error);
    }
    if (!stop.signal.aborted) timer = setTimeout(() => void read(), EVERY_MS);
  };
  void read();
  return () => {
    stop.abort();
    clearTimeout(timer);
  };
}
