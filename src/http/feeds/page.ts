import { pathOf, type FeedOverview } from "./overview.ts";

/** A feed as the page shows it: what it says of itself, or its name alone where it does not let in whoever looks. */
export type ShownFeed = Pick<FeedOverview, "name"> & Partial<FeedOverview>;

/** The page of a process with several feeds: each with its state, and a link to its console. */
export function feedsPage(feeds: readonly ShownFeed[]): string {
  // Names of feeds have no character that HTML would need to escape.
  const items = feeds.map(
    (feed) => `<li><a href="${pathOf(feed)}">${feed.name}</a>${escaped(wordsOf(feed))}`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>nomad-changefeed</title>
<h1>Feeds</h1>
<ul>
${items.join("\n")}
</ul>
<p>As JSON: <a href="v1/feeds">v1/feeds</a>
</html>
`;
}

function wordsOf({ state, source, lagMs, why }: ShownFeed): string {
  if (state === undefined) return "";
  const words = { ready: "ready", reading: "reading", starting: "not served yet" }[state];
  const behind = typeof lagMs === "number" && lagMs > 0 ? `${Math.ceil(lagMs / 1000)} s behind` : undefined;
  return `: ${[words, behind, why, source].filter(Boolean).join(", ")}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
