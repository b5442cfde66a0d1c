import type { IncomingMessage } from "node:http";
import { InvalidParameter, sinceOf, single } from "../../../schemas/subscription-schema.ts";
import { requestUrl } from "../../request-url.ts";
import { parseVector, type VectorCursor } from "./vector-cursor.ts";

/** What is asked of all feeds at once. */
export interface Question {
  /** Where each goes on; empty: from a start that is the same for all. */
  readonly position: VectorCursor;
  /** As it was asked, with times in place of ages: it means the same to each feed, and later. */
  readonly query: URLSearchParams;
  /** The query that a feed gets, from a cursor of its own. Absent: from where the question says. */
  queryFor(name: string, cursor: string | undefined): URLSearchParams;
}

/** Belongs to one feed: its consumers, its objects, its order backwards. */
const OF_ONE_FEED = ["consumer", "snapshot", "order"];

/** @throws InvalidParameter */
export function questionOf(message: IncomingMessage, nowMs: number): Question {
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
    query,
    queryFor: (name, cursor) => {
      const own = new URLSearchParams(query);
      // A feed that the cursor does not know came later: nothing of it was sent yet.
      const from = cursor ?? (isPlace ? (position.get(name) ?? "earliest") : undefined);
      if (from !== undefined) {
        own.delete("since");
        own.set("cursor", from);
      }
      return own;
    },
  };
}
