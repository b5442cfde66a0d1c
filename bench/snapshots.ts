import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { equalJson, type JsonObject } from "../src/schemas/json.ts";
import { RESOURCES } from "../src/schemas/resources.ts";
import { diffWhole, parseSnapshot } from "../src/snapshots/snapshot.ts";
import { allocationList, changeAllocations, REORDERED_ALLOCATIONS, USUAL_ALLOCATIONS } from "./fixtures.ts";
import { medianTimeRatio, once, type BenchRow } from "./harness.ts";

const CHANGED = 11;
const ROUNDS = 7;
const READ_SINGLY = 45_000;

const rows: BenchRow[] = [
  {
    name: "snapshot-diff-vs-parse",
    unit: `× as fast; 50,000 allocations, ${CHANGED} of them changed`,
    goal: "at least 30",
    against: "JSON.parse of the new list and a comparison with the parsed previous one",
    run: async () => {
      const { previous, next } = usualLists();
      return fasterThanParsing(previous, next, CHANGED);
    },
  },
  {
    name: "snapshot-diff-vs-memcmp",
    unit: `× the time; 50,000 allocations, ${CHANGED} of them changed`,
    goal: "at most 1.6",
    against: "one memcmp of two equal lists of that size",
    run: async () => {
      const { previous, next } = usualLists();
      const snapshot = parseSnapshot(RESOURCES.allocations, previous);
      const twin = Buffer.from(previous);
      return medianTimeRatio(
        () => expectChanges(diffWhole(snapshot, next).changes.length, CHANGED),
        () => expectChanges(Buffer.compare(previous, twin), 0),
        { rounds: 5 * ROUNDS, warmUps: ROUNDS },
      );
    },
  },
  {
    name: "snapshot-reordered-vs-parse",
    unit: "× as fast; 50,000 allocations of 3 tasks, every map in a fresh order",
    goal: "at least 4",
    against: "JSON.parse of the new list and a comparison with the parsed previous one",
    run: async () => {
      const previous = allocationList(REORDERED_ALLOCATIONS, 1).body;
      const next = allocationList(REORDERED_ALLOCATIONS, 2).body;
      return fasterThanParsing(previous, next, 0);
    },
  },
  {
    name: "snapshot-memory",
    unit: "(resident memory - 80 MB) / raw body, of a process holding 50,000 allocations after 10 polls",
    goal: "at most 1.3",
    against: "the raw body",
    run: async () => memoryRatios(new URL("./snapshot-holder.ts", import.meta.url), usualLists()).resident,
  },
  {
    name: "hinted-memory",
    // Resident memory has the gaps that 50,000 reads left between what is held, which the next ones use.
    unit: "what V8 counts of its heap and buffers / raw body, of a process holding 50,000 allocations, most of them read one by one since and folded, one in eight on top",
    goal: "at most 1.3",
    against: "nothing; (resident memory - 80 MB) / raw body",
    run: async () => {
      const list = allocationList(USUAL_ALLOCATIONS);
      const { counted, resident } = memoryRatios(new URL("./hinted-holder.ts", import.meta.url), {
        previous: list.body,
        next: changeAllocations(list, READ_SINGLY).body,
      });
      return { value: counted, against: resident };
    },
  },
];
export default rows;

const usualLists = once(() => {
  const list = allocationList(USUAL_ALLOCATIONS);
  return { previous: list.body, next: changeAllocations(list, CHANGED).body };
});

function fasterThanParsing(previous: Buffer, next: Buffer, changes: number): Promise<number> {
  const snapshot = parseSnapshot(RESOURCES.allocations, previous);
  const parsed = new Map(parseList(previous).map((stub) => [stub.ID, stub]));
  return medianTimeRatio(
    () => expectChanges(changedStubs(parsed, next), changes),
    () => expectChanges(diffWhole(snapshot, next).changes.length, changes),
    { rounds: ROUNDS },
  );
}

function parseList(body: Buffer): JsonObject[] {
  return JSON.parse(body.toString()) as JsonObject[];
}

/** The plain way, as fast as it goes: the previous list is kept parsed, and long numbers may lose digits. */
function changedStubs(previous: ReadonlyMap<unknown, JsonObject>, body: Buffer): number {
  let changed = 0;
  for (const stub of parseList(body)) {
    const before = previous.get(stub["ID"]);
    if (before === undefined || !equalJson(stub, before)) changed++;
  }
  return changed;
}

function expectChanges(found: number, expected: number): void {
  if (found !== expected) throw new Error(`found ${found} changes where there are ${expected}`);
}

const FREE_MB = 80;

/** The holder is a program that is given both lists as files, and prints its resident memory in bytes. */
interface MemoryRatios {
  readonly resident: number;
  readonly counted: number;
}

/** Of what the holder prints, to the body of the next list. */
function memoryRatios(
  holder: URL,
  lists: { readonly previous: Buffer; readonly next: Buffer },
): MemoryRatios {
  const directory = mkdtempSync(join(tmpdir(), "bench-snapshots-"));
  try {
    const paths = [join(directory, "a.json"), join(directory, "b.json")] as const;
    writeFileSync(paths[0], lists.previous);
    writeFileSync(paths[1], lists.next);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--expose-gc", fileURLToPath(holder), ...paths],
      {
        encoding: "utf8",
      },
    );
    if (status !== 0) throw new Error(`the process that holds the snapshot failed: ${stderr}`);
    const [resident = 0, counted = 0] = stdout.split(" ").map(Number);
    const body = lists.next.length;
    return { resident: (resident - FREE_MB * 1e6) / body, counted: counted / body };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
