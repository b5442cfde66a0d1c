/**
 * A `Link` to the same route with another query. It names no path: below which path of a proxy the route was asked for
 * is unknown here, and the client knows it.
 */
export function nextLink(query: URLSearchParams): string {
  return `<?${query.toString()}>; rel="next"`;
}
