/**
 * How many allocations run on each node, told whenever that changes.
 *
 *   node examples/watch-state.ts --url http://127.0.0.1:4650
 */
import { parseArgs } from "node:util";
import { watchState } from "nomad-changefeed-client";

const { values: options } = parseArgs({
  options: { url: { type: "string", default: "http://127.0.0.1:4650" } },
});
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

let told = "";
let isTelling = false;
const state = watchState({
  url: options.url,
  types: ["allocations"],
  signal: stop.signal,
  onChange: ({ before, after }) => {
    if (isTelling && before?.stub.ClientStatus !== after?.stub.ClientStatus) tellChange();
  },
});
await state.ready;
isTelling = true;
tellChange();
await state.ended;

function tellChange(): void {
  const running = new Map<string, number>();
  for (const { stub } of state.objects.values()) {
    if (stub.ClientStatus === "running") running.set(stub.NodeName, (running.get(stub.NodeName) ?? 0) + 1);
  }
  const nodes = [...running].toSorted(([a], [b]) => a.localeCompare(b));
  const now = nodes.map(([node, count]) => `${node}: ${count}`).join(", ") || "nothing runs";
  if (now !== told) console.log(now);
  told = now;
}
