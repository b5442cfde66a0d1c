import type { IncomingMessage } from "node:http";
import { InvalidParameter, sinceOf, single, type Format } from "../../../schemas/subscription-schema.ts";
import { requestUrl } from "../../request-url.ts";
import { parseVector, placeAt, timeIn, type VectorCursor } from "./vector-cursor.ts";

/** What is asked of all feeds at once. */
export interface Question {
  /** Where each goes on; empty: from a start that is the same for all. */
  readonly position: VectorCursor;
  /** Where a feed begins that is asked later than the others; undefined: with its earliest event. */
  readonly start: string | undefined;
  /** As it was asked, with times in place of ages: it means the same to each feed, and later. */
  readonly query: URLSearchParams;
  /** The query that a feed gets, from a place of its own. Absent: from where the question says. */
  queryFor(name: string, place: string | undefined): URLSearchParams;
}

/** Belongs to one feed: its consumers, its objects, its order backwards. */
const OF_ONE_FEED = ["consumer", "snapshot", "order"];

/** @throws InvalidParameter */
export function questionOf(message: IncomingMessage, nowMs: number, format: Format): Question {
  const { searchParams: query } = requestUrl(message);
  for (const field of OF_ONE_FEED) {
    if (query.has(field)) {
      throw new InvalidParameter(`Only a single feed has ${field}: ask /v1/feeds/<name>/events`, field, []);
    }
  }
  if (single(query, "onexpired") === "snapshot") {
    throw new InvalidParameter("Objects are of a single feed", "onexpired", ["fail", "earliest"]);
  }
  for (const field of ["since", "until"]) {
    const given = single(query, field);
    if (given !== undefined) query.set(field, new Date(sinceOf(given, field, nowMs)).toISOString());
  }
  const seen = message.headers["last-event-id"];
  const last = single(query, "lastEventId") ?? (typeof seen === "string" && seen !== "" ? seen : undefined);
  const asked = last ?? single(query, "cursor");
  const isPlace = asked !== undefined && asked !== "earliest" && asked !== "latest";
  const position = isPlace ? parseVector(asked) : new Map<string, string>();
  query.delete("lastEventId");
  return {
    position,
    start: isPlace ? undefined : startOf(query, nowMs, format),
    query,
    queryFor: (name, place) => {
      const own = new URLSearchParams(query);
      // A feed that the cursor does not know came later: nothing of it was sent yet.
      const from = place ?? (isPlace ? (position.get(name) ?? "earliest") : undefined);
      if (from === undefined) return own;
      const timeMs = timeIn(from);
      own.delete(timeMs === undefined ? "since" : "cursor");
      if (timeMs === undefined) own.set("cursor", from);
      else own.set("since", new Date(timeMs).toISOString());
      return own;
    },
  };
}

/** As a feed that is there begins, so that one that comes later tells no more, and no less. */
function startOf(query: URLSearchParams, nowMs: number, format: Format): string | undefined {
  const since = single(query, "since");
  if (since !== undefined) return placeAt(Date.parse(since));
  const cursor = single(query, "cursor") ?? (format === "page" ? "earliest" : "latest");
  return cursor === "latest" ? placeAt(nowMs) : undefined;
}
