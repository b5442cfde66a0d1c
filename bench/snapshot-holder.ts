import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

import { RESOURCES } from "../src/schemas/resources.ts";
import { diffWhole, parseSnapshot } from "../src/snapshots/snapshot.ts";

/** Lives through polls that read the two given list files in turns, then prints its resident memory in bytes. */
const POLLS = 10;
const [first = "", second = ""] = process.argv.slice(2);

let snapshot = parseSnapshot(RESOURCES.allocations, readFileSync(first));
const changes = [];
for (let poll = 0; poll < POLLS; poll++) {
  const result = diffWhole(snapshot, readFileSync(poll % 2 === 0 ? second : first));
  snapshot = result.next;
  changes.push(...result.changes);
  await setImmediate();
}
globalThis.gc?.();
await setImmediate();
globalThis.gc?.();
process.stdout.write(String(process.memoryUsage().rss));
// Both are used here, so that nothing frees them before.
if (snapshot.count === 0 || changes.length === 0) throw new Error("the lists do not differ");
