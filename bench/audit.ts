import { mkdir, mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { openAudit } from "../src/publishers/audit/audit.ts";
import { syncFolder, type FileBytes } from "../src/publishers/audit/disk.ts";
import { CHECKPOINT } from "../src/publishers/audit/store.ts";
import type { Destination, Outgoing } from "../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../src/tlog/note-keys.ts";
import { destinationDeps } from "../test/support/destination-deps.ts";
import { outgoing } from "../test/support/outgoing.ts";
import { median, type BenchRow } from "./harness.ts";

const { privateKey } = generateNoteKey("example.com/bench");
const EVENT_BYTES = 1000;
const ROUNDS = 7;
const BATCHES = 24;

export default [
  {
    name: "audit-append",
    unit: "events/s of 1 KB into an audit trail, in batches of 2,048, each on the disk under a signed checkpoint, until the daily files have them too",
    goal: "at least 0.6 × the bare files",
    against:
      "the same files with the same bytes, a batch at once, by Node's open, write and fdatasync; nothing is hashed, signed, packed or ordered",
    run: measureAppend,
  },
] satisfies readonly BenchRow[];

async function measureAppend() {
  const folder = await mkdtemp(join(tmpdir(), "ncf-bench-"));
  try {
    return await appended(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In turns: what disturbs the machine disturbs both. Both write the same bytes in each round. */
async function appended(folder: string): Promise<{ value: number; against: number }> {
  const { events } = auditSettingsSchema.shape.batch.parse({});
  const batches = Array.from({ length: BATCHES }, (_, at) => batchFrom(at * events + 2, events));
  const written = await writtenBy(await madeIn(folder, "sample"), batches);
  const times: { trail: number; files: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const trail = await openTrail(await madeIn(folder, `trail-${round}`));
    const made = new Set<string>();
    const bare = await madeIn(folder, `bare-${round}`);
    const sides = {
      trail: async () => {
        for (const batch of batches) await send(trail, batch);
        await trail[Symbol.asyncDispose]();
      },
      files: async () => {
        for (const batch of written) await writeAll(bare, batch, made);
      },
    };
    const took = { trail: 0, files: 0 };
    const order = ["trail", "files"] as const;
    for (const side of round % 2 === 0 ? order : order.toReversed()) took[side] = await timed(sides[side]);
    // The first one only warms up.
    if (round > 0) times.push(took);
  }
  const perSecond = (ms: number) => (BATCHES * events * 1000) / ms;
  return {
    value: perSecond(median(times.map((each) => each.trail))),
    against: perSecond(median(times.map((each) => each.files))),
  };
}

async function madeIn(folder: string, name: string): Promise<string> {
  const made = join(folder, name);
  await mkdir(made);
  return made;
}

async function send(trail: Destination, batch: readonly Outgoing[]): Promise<void> {
  const result = await trail.send(batch, new AbortController().signal);
  if (result.outcome !== "ok") throw new Error(JSON.stringify(result));
}

/** That has begun. */
async function openTrail(directory: string): Promise<Destination> {
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  const trail = await openAudit(settings, destinationDeps({ readSecret: () => privateKey }));
  await send(trail, batchFrom(1, 1));
  return trail;
}

/** Of jobs whose names differ in length, as elsewhere. */
function batchFrom(first: number, count: number): Outgoing[] {
  return Array.from({ length: count }, (_, at) => {
    const job = `web${"-blue".repeat((first + at) % 7)}`;
    const missing = EVENT_BYTES - Buffer.byteLength(recorded(outgoing(1, { job, data: { text: "" } })).json);
    const data = { text: "0123456789abcdef".repeat(Math.ceil(missing / 16)).slice(0, missing) };
    return recorded(outgoing(first + at, { job, data }));
  });
}

/** As the feed has it, which is where the daily files look for the day. */
function recorded(event: Outgoing): Outgoing {
  const [before = "", after = ""] = event.json.split('"datacontenttype"');
  return { ...event, json: `${before}"recordedtime":"2026-11-23T15:14:58.412Z","datacontenttype"${after}` };
}

/** The files that each batch writes: its tiles and bundles, the checkpoint, and a share of the daily file. */
async function writtenBy(directory: string, batches: readonly Outgoing[][]): Promise<FileBytes[][]> {
  await enter([], directory);
  const seen = new Set(await pathsIn(directory));
  const written: FileBytes[][] = [];
  for (const batch of batches) {
    await enter(batch, directory);
    const paths = (await pathsIn(directory)).filter((path) => !seen.has(path) || path === CHECKPOINT);
    for (const path of paths) seen.add(path);
    written.push(await Promise.all(paths.map((path) => read(directory, path))));
  }
  const [daily = ""] = await readdir(join(directory, "daily"));
  const { bytes } = await read(directory, join("daily", daily));
  const share = bytes.subarray(0, bytes.length / BATCHES);
  return written.map((files) => [...files, { path: `daily/${daily}`, bytes: share }]);
}

/** Nothing is at work in the directory any more then. */
async function enter(batch: readonly Outgoing[], directory: string): Promise<void> {
  await using trail = await openTrail(directory);
  await send(trail, batch);
}

async function pathsIn(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((path) => path.isFile() && path.name !== "writer.lock")
    .map((path) => relative(directory, join(path.parentPath, path.name)))
    .filter((path) => !path.startsWith("daily"));
}

async function read(directory: string, path: string): Promise<FileBytes> {
  return { path, bytes: await readFile(join(directory, path)) };
}

/** As plainly as Node does it. `made`: files and folders that are there. */
async function writeAll(directory: string, files: readonly FileBytes[], made: Set<string>): Promise<void> {
  const folderOf = (path: string) => join(directory, dirname(path));
  const added = files.filter(({ path }) => !made.has(path) || path === CHECKPOINT);
  const folders = [...new Set(added.map(({ path }) => folderOf(path)))];
  for (const folder of folders.filter((each) => !made.has(each))) await mkdir(folder, { recursive: true });
  for (const name of [...folders, ...added.map(({ path }) => path)]) made.add(name);
  await Promise.all(files.map((file) => writeOne(directory, file)));
  await Promise.all(folders.map(syncFolder));
}

async function writeOne(directory: string, { path, bytes }: FileBytes): Promise<void> {
  await using handle = await open(join(directory, path), path.startsWith("daily/") ? "a" : "w");
  await handle.writeFile(bytes);
  await handle.datasync();
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
