import { hash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AuditMark } from "../../src/schemas/audit.ts";
import { writeBundle } from "../../src/tlog/bundle.ts";
import { formatCheckpoint } from "../../src/tlog/checkpoint.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { generateNoteKey, parseSigner } from "../../src/tlog/note-keys.ts";
import { signNote } from "../../src/tlog/note.ts";
import { bundlePath, newTiles, tilePath } from "../../src/tlog/tiles.ts";
import { TreeEdge } from "../../src/tlog/tree.ts";

export const ORIGIN = "example.com/nomad";
export const KEY = generateNoteKey(ORIGIN);

/** An event as the feed writes it. */
export function eventEntry(sequence: number, epoch = "e1", after: object = {}): Buffer {
  const subject = `allocations/default/${String(sequence).padStart(8, "0")}`;
  return Buffer.from(
    JSON.stringify({
      specversion: "1.0",
      id: `event-${epoch}-${sequence}`,
      source: "nomad://prod/global",
      type: "nomad.allocation.updated",
      subject,
      time: "2026-11-29T05:00:00Z",
      datacontenttype: "application/json",
      partitionkey: subject,
      recordedtime: "2026-11-29T05:00:01Z",
      severitytext: "INFO",
      severitynumber: 9,
      sequence: String(sequence).padStart(16, "0"),
      cursor: `${epoch}-${sequence}`,
      data: { op: "update", after },
    }),
  );
}

export function markEntry(mark: AuditMark): Buffer {
  return Buffer.from(JSON.stringify(mark));
}

const GENESIS = markEntry({
  type: "changefeed.audit.genesis",
  feed: "nomad://prod/global",
  epoch: "e1",
  firstSeq: 1,
  origin: ORIGIN,
  format: 1,
});

/** Genesis and the events from 1 on: `count` entries. */
export function entriesOf(count: number): Buffer[] {
  return [GENESIS, ...Array.from({ length: count - 1 }, (_, at) => eventEntry(at + 1))].slice(0, count);
}

/** An event too large for an entry, and its data. */
export function detachedEntry(sequence: number): { entry: Buffer; path: string; data: Buffer } {
  const data = Buffer.from(JSON.stringify({ op: "update", after: { Meta: "x".repeat(70_000) } }));
  const datasha256 = hash("sha256", data);
  const path = `objects/${datasha256}`;
  const { data: _, ...rest } = JSON.parse(eventEntry(sequence).toString()) as Record<string, unknown>;
  const stands = { datasha256, datasize: data.length, dataref: path };
  return { entry: Buffer.from(JSON.stringify({ ...rest, ...stands })), path, data };
}

export interface WriteOptions {
  readonly keys?: readonly string[];
  readonly origin?: string;
  /** Sizes that were signed on the way: their partial files stay. */
  readonly steps?: readonly number[];
}

/** Writes a whole trail in place of what is in the directory. */
export async function writeTrail(
  directory: string,
  entries: readonly Buffer[],
  { keys = [KEY.privateKey], origin = ORIGIN, steps = [] }: WriteOptions = {},
): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  const edge = TreeEdge.empty();
  let size = 0;
  for (const next of [...steps, entries.length]) {
    for (const entry of entries.slice(size, next)) edge.append(leafHash(entry));
    for (const bundle of [...newTiles(size, next)].filter(({ level }) => level === 0)) {
      const from = bundle.index * 256;
      await write(directory, bundlePath(bundle), writeBundle(entries.slice(from, from + bundle.width)));
    }
    for (const { tile, bytes } of edge.takeTiles()) await write(directory, tilePath(tile), bytes);
    size = next;
  }
  const checkpoint = formatCheckpoint({ origin, size, root: edge.root() });
  await write(directory, "checkpoint", signNote(checkpoint, keys.map(parseSigner)));
}

export async function write(directory: string, path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(join(directory, path)), { recursive: true });
  await writeFile(join(directory, path), bytes);
}
