import type { IncomingMessage } from "node:http";
import { formatCursor, parseCursor } from "../../../schemas/cursor.ts";
import { DEFAULT_PAGE_LIMIT } from "../../../schemas/subscription-schema.ts";
import { notOpen } from "../../waiting-room.ts";
import type { FeedMount } from "../feed-mount.ts";
import type { Answer } from "../mount.ts";
import type { Question } from "./question.ts";
import { formatVector } from "./vector-cursor.ts";

interface Item {
  readonly json: string;
  readonly recorded: string;
  readonly sequence: number;
}

/** A page of one feed, of which the first `taken` are in the page of all. */
interface Part {
  readonly name: string;
  readonly items: readonly Item[];
  /** How far its page got. */
  readonly cursor: string;
  /** Where its newest event is. */
  readonly head: string;
  readonly hasMore: boolean;
  taken: number;
}

/** A page over all feeds: by when each event was recorded, each feed's own order kept. */
export async function mergedPage(
  message: IncomingMessage,
  question: Question,
  feeds: readonly FeedMount[],
): Promise<Answer> {
  const answers = await Promise.all(
    feeds.map(async (feed) => {
      const query = question.queryFor(feed.name, undefined);
      return { feed, answer: await feed.ask(`/v1/events?${query.toString()}`, message) };
    }),
  );
  const refused = answers.flatMap(({ answer }) =>
    answer !== undefined && answer.status >= 400 ? answer : [],
  );
  const isOther = ({ status }: Answer) => status !== 401 && status !== 403 && status < 500;
  const refusal = refused.find(isOther) ?? refused[0];
  const parts = answers.flatMap(({ feed, answer }) => (answer?.status === 200 ? partOf(feed, answer) : []));
  if (refusal !== undefined && (isOther(refusal) || parts.length === 0)) return refusal;
  // Without a feed there is no place to go on at.
  if (parts.length === 0) return notOpen("no feed is served");
  const searchParams = new URLSearchParams(question.query);
  const limit = Number(searchParams.get("limit") ?? DEFAULT_PAGE_LIMIT);
  const events = merge(parts, limit);
  const known = [...question.position].filter(([name]) => feeds.some((feed) => feed.name === name));
  const away = answers.flatMap(({ feed, answer }) =>
    answer === undefined || answer.status >= 500 ? feed.name : [],
  );
  const { start } = question;
  const unheard = start === undefined ? [] : away.map((name): [string, string] => [name, start]);
  const vectorOf = (place: (part: Part) => string) => {
    const heard = parts.map((part): [string, string] => [part.name, place(part)]);
    return formatVector(new Map([...unheard, ...known, ...heard]));
  };
  const cursor = vectorOf(placeOf);
  const hasMore = parts.some((part) => part.hasMore || part.taken < part.items.length);
  searchParams.delete("since");
  searchParams.set("cursor", cursor);
  return {
    status: 200,
    headers: {
      "content-type": "application/cloudevents-batch+json; charset=utf-8",
      "x-changefeed-cursor": cursor,
      "x-changefeed-head": vectorOf(({ head }) => head),
      ...(away.length > 0 && { "x-changefeed-feeds-away": away.join(",") }),
      ...(answers.some(({ answer }) => answer?.headers["x-changefeed-gap"]) && {
        "x-changefeed-gap": "true",
      }),
      ...(hasMore && { link: `<?${searchParams.toString()}>; rel="next"` }),
    },
    body: `[${events.map(({ json }) => json).join(",\n")}]\n`,
  };
}

function partOf({ name }: FeedMount, { body, headers }: Answer): Part {
  // One line an event: no JSON text has a line break.
  const lines = body
    .trim()
    .slice(1, -1)
    .split(",\n")
    .filter((line) => line !== "");
  const items = lines.map((json) => {
    const { recordedtime = "", sequence = "0" } = JSON.parse(json) as Record<string, string>;
    return { json, recorded: recordedtime, sequence: Number(sequence) };
  });
  const cursor = String(headers["x-changefeed-cursor"] ?? "");
  const head = String(headers["x-changefeed-head"] ?? "");
  return { name, items, cursor, head, hasMore: headers.link !== undefined, taken: 0 };
}

function merge(parts: readonly Part[], limit: number): Item[] {
  const events: Item[] = [];
  while (events.length < limit) {
    let earliest: Part | undefined;
    for (const part of parts) {
      const item = part.items[part.taken];
      const least = earliest?.items[earliest.taken];
      if (item !== undefined && (least === undefined || item.recorded < least.recorded)) earliest = part;
    }
    const item = earliest?.items[earliest.taken];
    if (earliest === undefined || item === undefined) return events;
    events.push(item);
    earliest.taken += 1;
  }
  return events;
}

/** Where the feed goes on: before the first event that is not in the page. */
function placeOf({ items, taken, cursor }: Part): string {
  const next = items[taken];
  const epoch = parseCursor(cursor)?.epoch;
  return next === undefined || epoch === undefined
    ? cursor
    : formatCursor({ epoch, sequence: next.sequence - 1 });
}
