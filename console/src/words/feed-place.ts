/** A feed of a process that has several: what the page belongs to, below `/v1/feeds/<name>/`. */
export interface FeedPlace {
  readonly name: string;
  /** Address of the process, which ends with a slash. */
  readonly process: string;
}

/** Undefined where the process has one feed. `url`: of the page, up to its last slash. */
export function feedPlaceOf(url: string): FeedPlace | undefined {
  const match = /^(.*\/)v1\/feeds\/([^/]+)\/$/.exec(url);
  const [, address, name] = match ?? [];
  return address === undefined || name === undefined ? undefined : { process: address, name };
}

const OF_ONE_FEED = ["open"];

/**
 * The same view in another feed: an object may be there too. A cursor is of one feed alone, so an event that is looked at,
 * and a time that is told by one, stay behind.
 * @param hash `#/state/jobs?namespace=qa`
 */
export function hashElsewhere(hash: string): string {
  const [path = "", search = ""] = hash.split("?", 2);
  const query = new URLSearchParams(search);
  for (const name of OF_ONE_FEED) query.delete(name);
  if (Number.isNaN(Date.parse(query.get("at") ?? ""))) query.delete("at");
  const isOfEvent = /^#\/event(\/|$)/.test(path);
  const left = query.toString();
  return `${isOfEvent ? "#/live" : path}${left === "" || isOfEvent ? "" : `?${left}`}`;
}
