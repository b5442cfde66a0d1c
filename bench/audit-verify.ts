import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DirectoryFiles } from "../src/commands/audit/directory-files.ts";
import { locate } from "../src/commands/audit/locate.ts";
import { prove } from "../src/commands/audit/prove.ts";
import { StoredTree } from "../src/commands/audit/stored-tree.ts";
import { verifyTrail } from "../src/commands/audit/verification.ts";
import { systemClock } from "../src/shared/clock.ts";
import { writeBundle } from "../src/tlog/bundle.ts";
import { formatCheckpoint } from "../src/tlog/checkpoint.ts";
import { HASH_BYTES, leafHash, perfectRoot, sha256 } from "../src/tlog/hash.ts";
import { parseSigner, parseVerifier } from "../src/tlog/note-keys.ts";
import { signNote } from "../src/tlog/note.ts";
import { hashesAt, parseTilePath, TILE_WIDTH, tileAt, tilePath } from "../src/tlog/tiles.ts";
import { TreeEdge } from "../src/tlog/tree.ts";
import { entriesOf, eventEntry, KEY, ORIGIN, write, writeTrail } from "../test/support/written-trail.ts";
import { median, type BenchRow } from "./harness.ts";

const VERIFIED_ENTRIES = 60_000;
const ROUNDS = 5;
const PROVED_ENTRIES = 10_000_000;
const PROOFS = 40;
/** An entry then has some 960 bytes. */
const FILLING = { Description: "x".repeat(530) };

export default [
  {
    name: "audit-verify",
    unit: `MB/s of an audit trail of 60,000 entries of 1 KB, hashed, counted and compared with its tiles`,
    goal: "at least 0.5 × sha256sum",
    against: "sha256sum of the same files",
    run: () => inFolder(measureVerify),
  },
  {
    name: "audit-prove",
    unit: "ms to find an event among ten million by its sequence and prove it, median, without the program's start",
    goal: "at most 50",
    against: "nothing; tiles that no proof touches hold hashes of no entries",
    run: () => inFolder(measureProve),
  },
] satisfies readonly BenchRow[];

async function inFolder<Result>(measure: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "bench-audit-"));
  try {
    return await measure(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measureVerify(folder: string) {
  const [genesis = Buffer.alloc(0)] = entriesOf(1);
  const events = Array.from({ length: VERIFIED_ENTRIES - 1 }, (_, at) => eventEntry(at + 1, "e1", FILLING));
  await writeTrail(folder, [genesis, ...events]);
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  const rounds: { value: number; against: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const against = await secondsOf(async () => execFileSync("sha256sum", paths, { maxBuffer: 1e9 }));
    const value = await secondsOf(() => verified(folder));
    rounds.push({ value: megabytes / value, against: megabytes / against });
  }
  return {
    value: median(rounds.map(({ value }) => value)),
    against: median(rounds.map(({ against }) => against)),
  };
}

async function verified(folder: string): Promise<void> {
  const keys = [parseVerifier(KEY.verifierKey)];
  const { findings } = await verifyTrail(new DirectoryFiles(folder), { keys }, AbortSignal.any([]));
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}

async function measureProve(folder: string): Promise<number> {
  const sought = Array.from(
    { length: PROOFS },
    (_, at) => 1 + ((at * 7_919_317 + 4711) % (PROVED_ENTRIES - 1)),
  );
  const checkpoint = await writeSimulated(folder, sought);
  const tree = new StoredTree(new SimulatedFiles(folder), { ...checkpoint, origin: ORIGIN });
  const times: number[] = [];
  for (const sequence of sought) {
    // The bundles that halving looks into are written once it does.
    await locate(tree, { epoch: undefined, sequence });
    times.push(1000 * (await secondsOf(() => proved(folder, sequence))));
  }
  return median(times);
}

async function proved(folder: string, sequence: number): Promise<void> {
  const output = { write: () => true };
  const io = {
    stdout: output,
    stderr: output,
    stdoutBytes: output,
    env: {},
    signal: AbortSignal.any([]),
    clock: systemClock,
    isTTY: false,
    stderrIsTTY: false,
    columns: () => undefined,
  };
  await prove(String(sequence), folder, { keys: [KEY.verifierKey] }, io);
}

/** Bundles of ten million events, each written when it is first read. */
class SimulatedFiles extends DirectoryFiles {
  override async read(path: string): Promise<Buffer | undefined> {
    const parsed = parseTilePath(path);
    const bytes = await super.read(path);
    if (bytes !== undefined || parsed?.level !== "entries") return bytes;
    const made = writeBundle(entriesAt(parsed.index));
    await write(this.name, path, made);
    return made;
  }
}

function entriesAt(bundle: number): Buffer[] {
  const { width = 0 } = tileAt(0, bundle, PROVED_ENTRIES) ?? {};
  return Array.from({ length: width }, (_, at) => entryAt(bundle * TILE_WIDTH + at));
}

/** Entry 0 is the beginning, so that the others have their events' numbers. */
function entryAt(index: number): Buffer {
  return index === 0 ? (entriesOf(1)[0] ?? Buffer.alloc(0)) : eventEntry(index, "e1", FILLING);
}

/** Every tile but those of level 0 that no proof needs, whose roots are hashes of anything. */
async function writeSimulated(
  folder: string,
  sought: readonly number[],
): Promise<{ size: number; root: Buffer }> {
  const last = Math.floor(PROVED_ENTRIES / TILE_WIDTH);
  const real = new Map([...sought.map((sequence) => Math.floor(sequence / TILE_WIDTH)), last].map(leavesAt));
  let hashes = Array.from({ length: last }, (_, bundle) => {
    const leaves = real.get(bundle);
    return leaves === undefined ? sha256(Buffer.from(`bundle ${bundle}`)) : perfectRoot(leaves);
  });
  for (const [index, leaves] of real) await writeTile(folder, 0, index, leaves);
  for (let level = 1; hashes.length > 0; level++) {
    const tiles = Array.from({ length: Math.ceil(hashes.length / TILE_WIDTH) }, (_, index) =>
      Buffer.concat(hashes.slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH)),
    );
    for (const [index, tile] of tiles.entries()) await writeTile(folder, level, index, tile);
    hashes = tiles.slice(0, hashesAt(level + 1, PROVED_ENTRIES)).map(perfectRoot);
  }
  const files = new DirectoryFiles(folder);
  const edge = await TreeEdge.read(
    PROVED_ENTRIES,
    async (tile) => (await files.read(tilePath(tile))) ?? Buffer.alloc(0),
  );
  const checkpoint = { size: PROVED_ENTRIES, root: edge.root() };
  const note = signNote(formatCheckpoint({ ...checkpoint, origin: ORIGIN }), [parseSigner(KEY.privateKey)]);
  await write(folder, "checkpoint", note);
  return checkpoint;
}

function leavesAt(bundle: number): [number, Buffer] {
  return [bundle, Buffer.concat(entriesAt(bundle).map(leafHash))];
}

async function writeTile(folder: string, level: number, index: number, bytes: Buffer): Promise<void> {
  await write(folder, tilePath({ level, index, width: bytes.length / HASH_BYTES }), bytes);
}
