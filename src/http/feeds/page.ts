import { pathOf } from "./overview.ts";

/** The page of a process with several feeds: a link to the console of each. It holds no data. */
export function feedsPage(names: readonly string[]): string {
  // Names of feeds have no character that HTML would need to escape.
  const items = names.map((name) => `<li><a href="${pathOf({ name })}">${name}</a>`).join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>nomad-changefeed</title>
<h1>Feeds</h1>
<ul>
${items}
</ul>
<p>How they are: <a href="v1/feeds">v1/feeds</a>
</html>
`;
}
