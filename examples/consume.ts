/**
 * Deals with events under a name: the server remembers how far it got, so it goes on there after any end.
 *
 *   node examples/consume.ts --url http://127.0.0.1:4650 --consumer pager
 */
import { parseArgs } from "node:util";
import { consume } from "nomad-changefeed-client";

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:4650" },
    consumer: { type: "string", default: "pager" },
  },
});
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

const consumer = consume({
  url: options.url,
  consumer: options.consumer,
  // Where a name that is new starts.
  cursor: "earliest",
  minSeverity: "WARN",
  onexpired: "earliest",
  signal: stop.signal,
});

for await (const item of consumer) {
  if (item.type === "nomad.feed.gap") {
    console.error(`GAP: events after ${item.data.wanted} are gone (${item.data.reason})`);
    continue;
  }
  // The effect. It can come twice where we end before the ack: make it idempotent by `id`.
  console.log(`${item.severitytext} ${item.type} ${item.subject} ${item.id}`);
  // A stop in the meantime is no error: what was not acked comes again.
  await consumer.ack(item).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
}
