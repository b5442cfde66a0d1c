import { ROUTES } from "../errors.ts";

export const FEEDS_PATH = "/v1/feeds";

/** First parts of what lies below `/v1`. */
const BELOW_V1 = new Set(
  ROUTES.flatMap((route) => /^\S+ \/v1\/([^/]+)/.exec(route)?.[1] ?? []).filter(
    // Their references are relative to the address of the feed, which only the long form names.
    (part) => !part.endsWith(".json"),
  ),
);

/** What of an address leads to a feed. */
export interface FeedAddress {
  readonly name: string;
  /** What the feed itself is asked for, with the query; undefined: a slash is missing at the end. */
  readonly url: string | undefined;
}

/**
 * `/v1/feeds/eu/events?x` and `/v1/feeds/eu/v1/events?x` are the feed's own `/v1/events?x`; `/v1/feeds/eu/` is its `/`.
 * Undefined: the address is about no feed.
 */
export function feedAddress(url: string): FeedAddress | undefined {
  const [path, query] = splitQuery(url);
  if (!path.startsWith(`${FEEDS_PATH}/`)) return undefined;
  const rest = path.slice(FEEDS_PATH.length + 1);
  const slash = rest.indexOf("/");
  const name = slash < 0 ? rest : rest.slice(0, slash);
  if (name === "") return undefined;
  if (slash < 0) return { name, url: undefined };
  const own = rest.slice(slash);
  const [, first = ""] = own.split("/", 2);
  return { name, url: `${BELOW_V1.has(first) ? "/v1" : ""}${own}${query}` };
}

function splitQuery(url: string): [path: string, query: string] {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
}
