import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

import { held } from "./attacker.ts";
import { RESOURCES } from "../src/schemas/resources.ts";
import { foldInSlices, isFoldDue, overlayBytes } from "../src/snapshots/fold.ts";
import { parseSnapshot, patchSnapshot, type Snapshot } from "../src/snapshots/snapshot.ts";

/**
 * Takes the first list, reads object by object what is new in the second, folding whenever it is due, until as much
 * lies on top as may; then prints its resident memory, and by how much what V8 counts of it grew, in bytes.
 */
const [first = "", second = ""] = process.argv.slice(2);

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

async function readSingly(from: Snapshot, list: Snapshot): Promise<Snapshot> {
  const stubs = list.stubs()[Symbol.iterator]();
  let index = 10_000n;
  let snapshot = from;
  let full = from;
  for (const ref of list.refs()) {
    const body = Buffer.from(`[${String(stubs.next().value)}]`);
    const { next } = finish(patchSnapshot(snapshot, [{ ref, body, index: ++index }]));
    if (isFoldDue(next)) full = snapshot;
    snapshot = isFoldDue(next) ? finish(foldInSlices(next)) : next;
    if (index % 100n === 0n) await setImmediate();
  }
  return full;
}

function listAt(path: string): Snapshot {
  return parseSnapshot(RESOURCES.allocations, readFileSync(path));
}

const before = held();
const snapshot = await readSingly(listAt(first), listAt(second));
held();
await setImmediate();
const { resident, counted } = held();
process.stdout.write(`${resident} ${counted - before.counted}`);
// Used here, so that nothing frees it before.
if (overlayBytes(snapshot) * 9 < snapshot.byteLength) throw new Error("too little lies on top of the list");
