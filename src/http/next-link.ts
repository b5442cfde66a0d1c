/**
 * A `Link` to the same route with another query. It names no path: below which path of a proxy the route was asked for
 * is unknown here, and the client knows it.
 */
export function nextLink(query: URLSearchParams): string {
  return `<?${query.toString()}>; rel="next"`;
}

/** Says in a query between which times it asks (ms since 1970): an age would be another time by the next page. */
export function keepTimes(
  query: URLSearchParams,
  { sinceMs, untilMs }: { readonly sinceMs?: number | undefined; readonly untilMs?: number | undefined },
): void {
  if (sinceMs !== undefined) query.set("since", new Date(sinceMs).toISOString());
  if (untilMs !== undefined) query.set("until", new Date(untilMs).toISOString());
}
