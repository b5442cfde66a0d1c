/** Path and query of the page that `Link` leads to, as a client resolves it; undefined where there is none. */
export function nextPage({ url, headers }: Response): string | undefined {
  const target = /^<(.+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
  if (target === undefined) return undefined;
  const { pathname, search } = new URL(target, url);
  return pathname + search;
}
