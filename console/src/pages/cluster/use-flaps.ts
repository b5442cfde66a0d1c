import type { EventPage, EventsQuery, FeedEvent } from "nomad-changefeed-client";
import { shownTime } from "../../app/as-of.ts";
import { api } from "../../feed/api.ts";
import { useLoaded, type Loaded } from "../../feed/use-loaded.ts";
import { isAfter } from "../../words/cursor.ts";
import { boundsOf, type ShownTime } from "../../words/shown-time.ts";
import { FLAP_SIGNALS, flapsOf, type Flaps } from "./flaps.ts";

const WITHIN_MS = 3_600_000;
const EVERY_MS = 30_000;
const PAGE = 1000;
const MOST = 3000;

export interface ReadFlaps extends Flaps {
  /** RFC 3339: there was more before, which was not counted; undefined: all of the hour was. */
  readonly countedSince: string | undefined;
}

/** What went up and down again and again within the hour before the time that is shown. */
export function useFlaps(): Loaded<ReadFlaps | undefined> {
  const shown = shownTime.value;
  return useLoaded(
    `flaps ${JSON.stringify(shown)}`,
    async (gone) => (shown.kind === "now" || shown.kind === "then" ? readFlaps(shown, gone) : undefined),
    shown.kind === "now" ? { everyMs: EVERY_MS } : {},
  );
}

async function readFlaps(shown: ShownTime, gone: AbortSignal): Promise<ReadFlaps> {
  const { until, through } = boundsOf(shown);
  const endMs = until === undefined ? Date.now() : Date.parse(until);
  const asked = api(gone);
  const events: FeedEvent[] = [];
  let next: EventsQuery | undefined = {
    signals: FLAP_SIGNALS,
    order: "newest-first",
    payload: "patch",
    since: new Date(endMs - WITHIN_MS).toISOString(),
    limit: PAGE,
    ...(until !== undefined && { until }),
  };
  while (next !== undefined && events.length < MOST) {
    const page: EventPage = await asked.events(next);
    events.push(...page.events.filter(({ cursor }) => !isAfter(cursor, through)));
    next = page.next;
  }
  const countedSince = next === undefined ? undefined : events.at(-1)?.recordedtime;
  return { ...flapsOf(events.toReversed()), countedSince };
}
