/**
 * Tells of allocations that failed, from where it stopped the last time: the cursor is kept in a file.
 *
 *   node examples/subscribe.ts --url http://127.0.0.1:4650 --cursor-file /tmp/failed.cursor
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { isAbout, subscribe } from "nomad-changefeed-client";

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:4650" },
    "cursor-file": { type: "string", default: "failed.cursor" },
    /** Of the server, where it asks for one. */
    token: { type: "string", default: process.env["CHANGEFEED_TOKEN"] ?? "" },
  },
});
const cursorFile = options["cursor-file"];
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const stored = await readFile(cursorFile, "utf8").catch(() => "");
const feed = subscribe({
  url: options.url,
  types: ["allocations"],
  signals: ["allocation.failed"],
  cursor: stored === "" ? "earliest" : stored,
  // What retention removed meanwhile is gone; the gap says so.
  onexpired: "earliest",
  notices: ["client.disconnected", "nomad.feed.bookmark"],
  signal: stop.signal,
  ...(options.token !== "" && { token: options.token }),
});

for await (const item of feed) {
  if (item.type === "client.disconnected") {
    console.error(`${item.reason}; trying again in ${item.retryInMs} ms`);
  } else if (item.type === "nomad.feed.gap") {
    console.error(`GAP: events after ${item.data.wanted} are gone (${item.data.reason})`);
  } else if (isAbout(item, "allocations")) {
    const { resource, after } = item.data;
    console.log(`${item.time} ${resource.name ?? resource.id} failed on ${after?.NodeName ?? "?"}`);
    await writeFile(cursorFile, item.cursor);
  } else if (item.type === "nomad.feed.bookmark") {
    await writeFile(cursorFile, item.data.cursor);
  }
}
