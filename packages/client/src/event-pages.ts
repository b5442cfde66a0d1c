import type { Access } from "./http.ts";
import type { Gap, Item, TypeName } from "./items.ts";
import { rememberText } from "./original-text.ts";
import type { EventsQuery, HistoryQuery } from "./queries.ts";
import { answerTo, failureOf, parsedBy } from "./requests.ts";

/** An event of the log. */
export type FeedEvent<Types extends TypeName = TypeName> = Exclude<Item<Types>, Gap>;

export interface HistoryPage {
  readonly events: FeedEvent[];
  /** How far the page got. */
  readonly cursor: string;
  /** Retention has removed the events up to there. */
  readonly floor: string;
  /** The query of the page that follows; absent: there is nothing more. A page may be empty and have one. */
  readonly next?: HistoryQuery;
}

export interface EventPage<Types extends TypeName = TypeName> {
  /** In the order that was asked for. */
  readonly events: FeedEvent<Types>[];
  /** How far the page got. */
  readonly cursor: string;
  /** The end of the feed: with `newest-first`, where a page begins that has neither `cursor` nor `until`. */
  readonly head: string;
  /** Retention has removed the events up to there; absent where the server is older than this client. */
  readonly floor?: string;
  /** Events that were asked for are gone. */
  readonly hasGap: boolean;
  /**
   * The query of the page that follows in the same order; absent: there is nothing more. Oldest first there always is
   * one without `until`: events may come.
   */
  readonly next?: EventsQuery<Types>;
}

/** @throws RequestFailed */
export async function readEvents<Types extends TypeName>(
  access: Access,
  query: EventsQuery<Types>,
): Promise<EventPage<Types>> {
  const { response, events, cursor, following } = await readPage(access, "/v1/events", query);
  const floor = response.headers.get("x-changefeed-floor");
  return {
    events: events as FeedEvent<Types>[],
    cursor,
    head: response.headers.get("x-changefeed-head") ?? cursor,
    ...(floor !== null && { floor }),
    hasGap: response.headers.get("x-changefeed-gap") === "true",
    ...(following !== undefined && { next: goingOn(query, following) }),
  };
}

/** @throws RequestFailed */
export async function readHistory(access: Access, query: HistoryQuery): Promise<HistoryPage> {
  const { response, events, cursor, following } = await readPage(access, "/v1/history", query);
  return {
    events,
    cursor,
    floor: response.headers.get("x-changefeed-floor") ?? cursor,
    ...(following !== undefined && { next: { ...query, cursor } }),
  };
}

/** @throws RequestFailed */
export async function readEvent(access: Access, cursor: string): Promise<FeedEvent> {
  const response = await answerTo(access, `/v1/events/${encodeURIComponent(cursor)}`);
  return parsedBy(access, response, (text) => eventIn(text.trim()));
}

/** @throws RequestFailed */
export async function readData(access: Access, cursor: string): Promise<object> {
  const response = await answerTo(access, `/v1/data/${encodeURIComponent(cursor)}`);
  return parsedBy(access, response, (text) => {
    const data = JSON.parse(text) as object;
    rememberText(data, text);
    return data;
  });
}

async function readPage(access: Access, path: string, query: object) {
  const response = await answerTo(access, path, { query });
  const cursor = response.headers.get("x-changefeed-cursor");
  if (cursor === null) throw failureOf(access, response);
  const events = await parsedBy(access, response, eventsIn);
  const [, search] = /^<\?(.*)>; rel="next"$/.exec(response.headers.get("link") ?? "") ?? [];
  return {
    response,
    events,
    cursor,
    following: search === undefined ? undefined : new URLSearchParams(search),
  };
}

/** A page is `[`, the events with a comma and a newline between them, and `]`; an event is one line. */
function eventsIn(page: string): FeedEvent[] {
  const events = page.trim().slice(1, -1);
  return events === "" ? [] : events.split(",\n").map(eventIn);
}

function eventIn(text: string): FeedEvent {
  const event = JSON.parse(text) as FeedEvent;
  rememberText(event, text);
  return event;
}

/** The same query, with what says where it goes on and where it ends as the server says it: ages are times there. */
function goingOn<Types extends TypeName>(
  { consumer: _consumer, since: _since, until: _until, ...rest }: EventsQuery<Types>,
  following: URLSearchParams,
): EventsQuery<Types> {
  const bounds = ["cursor", "since", "until"].flatMap((name) => {
    const value = following.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { ...rest, ...Object.fromEntries(bounds) };
}
