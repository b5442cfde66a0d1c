import { about } from "../feed/about.ts";
import { api } from "../feed/api.ts";
import { useLoaded } from "../feed/use-loaded.ts";

/**
 * When the oldest event was recorded that this reader may see, ms since 1970: before, nothing is known. Undefined: not
 * known (yet), or there is none.
 */
export function useOldestMs(): number | undefined {
  const { value } = useLoaded(`oldest ${about.value?.feed.floor ?? ""}`, async (gone) => {
    const { events } = await api(gone).history({ order: "oldest-first", limit: 1 });
    return events[0] === undefined ? undefined : Date.parse(events[0].recordedtime);
  });
  return value;
}
