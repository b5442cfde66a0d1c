import { computed, effect, signal } from "@preact/signals";
import { api } from "../feed/api.ts";
import { msOfTime } from "../words/time.ts";
import { asOf } from "./router.ts";

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** When the events of cursors were recorded, as far as somebody asked. */
const cursorTimes = signal<ReadonlyMap<string, number>>(new Map());

/** Ms since 1970 as of which everything is shown; undefined: now, or of a cursor whose time is not known (yet). */
export const asOfMs = computed(() => {
  const at = asOf.value;
  if (at === "") return undefined;
  return msOfTime(at) ?? msOfAge(at) ?? cursorTimes.value.get(at);
});

effect(() => {
  const at = asOf.value;
  if (at === "" || asOfMs.peek() !== undefined) return;
  api()
    .event(at)
    .then(
      ({ recordedtime }) => {
        cursorTimes.value = new Map(cursorTimes.value).set(at, Date.parse(recordedtime));
      },
      // A time that cannot be told is shown as it is written.
      () => undefined,
    );
});

/** `90s`, `1h30m`: so long ago. */
function msOfAge(text: string): number | undefined {
  if (!/^(\d+[smhd])+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  return (
    Date.now() - parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS_MS[unit as "s"], 0)
  );
}
