import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openNote } from "../../src/tlog/note.ts";
import { parseVerifier } from "../../src/tlog/note-keys.ts";

/** An event of a trail: its place in the feed, and its bytes. */
interface TrailEvent {
  readonly id: string;
  readonly cursor: string;
  readonly json: string;
}

interface WholeTrail {
  readonly size: number;
  readonly entries: readonly string[];
  readonly events: readonly TrailEvent[];
  /** What is no event, in order. */
  readonly marks: readonly Mark[];
}

interface Mark {
  readonly type: string;
  readonly [name: string]: unknown;
}

/**
 * A trail as somebody reads it who has only the standards: of its checkpoint, every entry, hashed anew to every tile and
 * to the root; then sequences by counting. Throws what does not hold.
 */
export function readWholeTrail(directory: string, verifierKey: string): WholeTrail {
  const note = readFileSync(join(directory, "checkpoint"));
  const { text } = openNote(note, [parseVerifier(verifierKey)]);
  const [, size = "", root = ""] = text.split("\n");
  const entries = bundles(directory, Number(size)).flatMap(entriesOf);
  const leaves = entries.map((entry) => sha256(Buffer.of(0), entry));
  assertSame("entries", entries.length, Number(size));
  assertSame("root", rootOf(leaves).toString("base64"), root);
  assertTiles(directory, leaves);
  assertOlder(directory, entries);
  const values = entries.map((entry) => JSON.parse(entry.toString()) as Mark);
  assertCounted(values);
  return {
    size: Number(size),
    entries: entries.map(String),
    marks: values.filter(isMark),
    events: values.flatMap((value, at) =>
      isMark(value)
        ? []
        : { id: String(value["id"]), cursor: String(value["cursor"]), json: String(entries[at]) },
    ),
  };
}

/** Its events; none where there is no trail. */
export async function eventsOfTrail(directory: string, verifierKey: string): Promise<readonly TrailEvent[]> {
  return existsSync(join(directory, "checkpoint")) ? readWholeTrail(directory, verifierKey).events : [];
}

function bundles(directory: string, size: number): Buffer[] {
  return paths("tile/entries", size).map((path) => readFileSync(join(directory, path)));
}

function paths(folder: string, hashes: number): string[] {
  return Array.from({ length: Math.ceil(hashes / 256) }, (_, index) => {
    const width = Math.min(256, hashes - index * 256);
    const name = String(index).padStart(3, "0");
    return `${folder}/${name}${width < 256 ? `.p/${width}` : ""}`;
  });
}

function entriesOf(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length;) {
    const end = at + 2 + bundle.readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

function assertTiles(directory: string, leaves: readonly Buffer[]): void {
  for (let level = 0, hashes = leaves; hashes.length > 0; level += 1) {
    for (const [index, path] of paths(`tile/${level}`, hashes.length).entries()) {
      const wanted = Buffer.concat(hashes.slice(index * 256, (index + 1) * 256));
      if (!readFileSync(join(directory, path)).equals(wanted)) throw new Error(`${path} has other hashes`);
    }
    const full = Math.floor(hashes.length / 256);
    const below = hashes;
    hashes = Array.from({ length: full }, (_, index) => rootOf(below.slice(index * 256, (index + 1) * 256)));
  }
}

/** Bundles of older checkpoints that are still there begin the one of this one. */
function assertOlder(directory: string, entries: readonly Buffer[]): void {
  const folder = join(directory, "tile/entries");
  for (const path of existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : []) {
    const [, index, width] = /^(\d{3})\.p\/(\d+)$/.exec(path) ?? [];
    const [first, end] = [Number(index) * 256, Number(index) * 256 + Number(width)];
    if (width === undefined || end > entries.length) continue;
    const found = entriesOf(readFileSync(join(folder, path)));
    assertSame(path, found.join("\n"), entries.slice(first, end).join("\n"));
  }
}

/** RFC 6962, 2.1. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  let left = 1;
  while (left * 2 < leaves.length) left *= 2;
  return sha256(Buffer.of(1), rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Index and sequence are tied by the marks alone. */
function assertCounted(values: readonly Mark[]): void {
  let epoch: unknown;
  let next: unknown;
  for (const [index, value] of values.entries()) {
    if (isMark(value)) {
      assertSame(`mark ${index} is the first`, value.type === "changefeed.audit.genesis", index === 0);
      epoch = value["epoch"] ?? epoch;
      next = value["firstSeq"] ?? value["nextSeq"];
      continue;
    }
    assertSame(`entry ${index}`, value["cursor"], `${String(epoch)}-${String(next)}`);
    next = Number(next) + 1;
  }
}

function isMark({ type }: Mark): boolean {
  return type.startsWith("changefeed.audit.");
}

function assertSame(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what}: found ${String(found)}, not ${String(wanted)}`);
}
