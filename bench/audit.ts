import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { openAudit } from "../src/publishers/audit/audit.ts";
import { DurableFiles, type FileBytes } from "../src/publishers/audit/disk.ts";
import type { Destination, Outgoing } from "../src/publishers/delivery/destination.ts";
import { auditSettingsSchema } from "../src/schemas/destinations/audit.ts";
import { generateNoteKey } from "../src/tlog/note-keys.ts";
import { destinationDeps } from "../test/support/destination-deps.ts";
import { outgoing } from "../test/support/outgoing.ts";
import { median, type BenchRow } from "./harness.ts";

const EVENT_BYTES = 1000;
const ROUNDS = 15;

export default [
  {
    name: "audit-append",
    unit: "events/s of 1 KB into an audit trail, in batches of 2,048, each on the disk under a signed checkpoint",
    goal: "at least 0.6 × the bare files",
    against:
      "the same files with the same bytes, forced to the disk at once; nothing is hashed, signed or ordered",
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

/** In turns: what disturbs the machine disturbs both. */
async function appended(folder: string): Promise<{ value: number; against: number }> {
  const [directory, bare] = [join(folder, "trail"), join(folder, "bare")];
  await Promise.all([mkdir(directory), mkdir(bare)]);
  await using trail = await openTrail(directory);
  const files = new DurableFiles(bare);
  const times: { trail: number; files: number }[] = [];
  const { events } = auditSettingsSchema.shape.batch.parse({});
  for (let round = 0; round <= ROUNDS; round += 1) {
    const batch = batchFrom(round * events + 1, events);
    const trailMs = await timed(async () => void (await trail.send(batch, new AbortController().signal)));
    const written = await writtenSince(directory, round);
    const filesMs = await timed(() => files.write(written));
    // The first one only warms up.
    if (round > 0) times.push({ trail: trailMs, files: filesMs });
  }
  const perSecond = (ms: number) => (events * 1000) / ms;
  return {
    value: perSecond(median(times.map((each) => each.trail))),
    against: perSecond(median(times.map((each) => each.files))),
  };
}

function openTrail(directory: string): Promise<Destination> {
  const { privateKey } = generateNoteKey("example.com/bench");
  const settings = auditSettingsSchema.parse({ type: "audit", directory, key: "env:AUDIT_KEY" });
  return openAudit(settings, destinationDeps({ readSecret: () => privateKey }));
}

function batchFrom(first: number, count: number): Outgoing[] {
  const missing = EVENT_BYTES - Buffer.byteLength(outgoing(1, { data: { text: "" } }).json);
  const data = { text: "0123456789abcdef".repeat(Math.ceil(missing / 16)).slice(0, missing) };
  return Array.from({ length: count }, (_, at) => outgoing(first + at, { data }));
}

/** What a batch wrote: the tiles and bundles that are new, the checkpoint, and a batch's share of the daily file. */
async function writtenSince(directory: string, round: number): Promise<FileBytes[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((path) => path.isFile() && path.name !== "writer.lock")
    .map((path) => relative(directory, join(path.parentPath, path.name)));
  const isNew = (path: string) => !seen.has(path) || path === "checkpoint" || path.startsWith("daily");
  const written = paths.filter(isNew);
  for (const path of paths) seen.add(path);
  return Promise.all(
    written.map(async (path) => {
      const bytes = await readFile(join(directory, path));
      return { path, bytes: path.startsWith("daily") ? bytes.subarray(-bytes.length / (round + 1)) : bytes };
    }),
  );
}

const seen = new Set<string>();

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
