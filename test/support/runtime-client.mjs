// A program that follows a feed by the packed client, for whichever runtime runs it. Arguments: the feed's URL, a token,
// how many events to wait for, a consumer's name. Prints one line of JSON.
import { consume, feedApi, StreamRefused, subscribe, watchState } from "nomad-changefeed-client";

const args = typeof Deno === "undefined" ? process.argv.slice(2) : Deno.args;
const [url, token, count, consumerName] = args;
const stop = new AbortController();
const options = { url, token, signal: stop.signal };

const sequences = [];
for await (const event of subscribe({ ...options, cursor: "earliest" })) {
  if ("sequence" in event) sequences.push(Number(event.sequence));
  if (sequences.length >= Number(count)) break;
}
const page = await feedApi({ url, token }).events({ cursor: "earliest", limit: 3 });
const state = watchState({ ...options, types: ["jobs"] });
await state.ready;
const consumer = consume({ ...options, consumer: consumerName, cursor: "earliest" });
let acked = "";
for await (const event of consumer) {
  if (!("cursor" in event)) continue;
  await consumer.ack(event);
  acked = event.cursor;
  break;
}
let refused;
try {
  for await (const _ of subscribe({ ...options, token: "not-a-token-of-this-feed" })) break;
} catch (error) {
  refused = error instanceof StreamRefused ? error.reason : String(error);
}
stop.abort();
console.log(
  JSON.stringify({ sequences, page: page.events.length, jobs: state.objects.size, acked, refused }),
);
