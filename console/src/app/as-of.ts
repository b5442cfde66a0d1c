import { computed, effect, signal } from "@preact/signals";
import { api } from "../feed/api.ts";
import { mayPass } from "../feed/may-pass.ts";
import { shownTimeOf, type ShownTime } from "../words/shown-time.ts";
import { asOf } from "./router.ts";

const AGAIN_MS = 3000;

/** When the events of cursors were recorded, as far as somebody asked; null: nobody can tell. */
const cursorTimes = signal<ReadonlyMap<string, number | null>>(new Map());

/** As of when everything is shown. */
export const shownTime = computed<ShownTime>(() => shownTimeOf(asOf.value, cursorTimes.value, Date.now()));

/** The same in ms since 1970, to place it; undefined of now, and where it is not known (yet). */
export const asOfMs = computed(() => (shownTime.value.kind === "then" ? shownTime.value.ms : undefined));

effect(() => {
  if (shownTime.value.kind !== "asking") return undefined;
  const at = asOf.value;
  const stop = new AbortController();
  void ask(at, stop.signal);
  return () => stop.abort();
});

async function ask(cursor: string, gone: AbortSignal): Promise<void> {
  const tell = (ms: number | null) => {
    if (!gone.aborted) cursorTimes.value = new Map(cursorTimes.peek()).set(cursor, ms);
  };
  try {
    const { recordedtime } = await api(gone).event(cursor);
    tell(Date.parse(recordedtime));
  } catch (error) {
    if (gone.aborted) return;
    if (!mayPass(error)) return tell(null);
    setTimeout(() => !gone.aborted && void ask(cursor, gone), AGAIN_MS);
  }
}
