import { open } from "node:fs/promises";
import { join } from "node:path";
import { readBundle, writeBundle } from "../tlog/bundle.ts";
import { parseCheckpoint } from "../tlog/checkpoint.ts";
import { HASH_BYTES } from "../tlog/hash.ts";
import { parseNote } from "../tlog/note.ts";
import { hashesAt, parseTilePath, TILE_WIDTH } from "../tlog/tiles.ts";
import { NoTrail } from "./errors.ts";

/** An audit trail of the configuration whose files can be served. */
export interface TrailPlace {
  /** The destination's. */
  readonly name: string;
  readonly directory: string;
}

/** One whose files are elsewhere, where verifiers find them without us. */
export interface TrailElsewhere {
  readonly name: string;
  /** "s3://bucket/prefix" */
  readonly bucket: string;
}

/** A file of a trail, below its directory: nothing else can be asked for. */
export type TrailFile =
  | { readonly kind: "checkpoint" | "object"; readonly path: string }
  | {
      readonly kind: "tile" | "entries";
      readonly path: string;
      readonly level: number;
      readonly width: number;
      /** One more than the number of its last hash, or entry, at its level. */
      readonly end: number;
    };

/** Undefined where a trail has no such file. */
export function trailFileAt(path: string): TrailFile | undefined {
  if (path === "checkpoint") return { kind: "checkpoint", path };
  if (/^objects\/[0-9a-f]{64}$/.test(path)) return { kind: "object", path };
  const tile = parseTilePath(path);
  if (tile === undefined) return undefined;
  const { width } = tile;
  const end = tile.index * TILE_WIDTH + width;
  return tile.level === "entries"
    ? { kind: "entries", path, level: 0, width, end }
    : { kind: "tile", path, level: tile.level, width, end };
}

/**
 * The file's bytes, of what the checkpoint covers: what lies beyond it may be another thing tomorrow. `reserve` is told
 * how many will be read. @throws NoTrail, and what `reserve` throws
 */
export async function readTrailFile(
  trail: TrailPlace,
  file: TrailFile,
  reserve: (bytes: number) => void,
): Promise<Buffer> {
  if (isTile(file)) await assertCovered(trail, file);
  const bytes = await read(trail, file.path, reserve);
  if (bytes !== undefined) return bytes;
  // A reader may know of it by a checkpoint of a moment ago: since then it became full.
  const full =
    isTile(file) && file.width < TILE_WIDTH ? await read(trail, fullPath(file), reserve) : undefined;
  if (full === undefined || !isTile(file)) throw missing(trail, file);
  return beginningOf(full, file);
}

type TileFile = Extract<TrailFile, { readonly level: number }>;

function isTile(file: TrailFile): file is TileFile {
  return file.kind === "tile" || file.kind === "entries";
}

function fullPath({ path }: TileFile): string {
  return path.replace(/\.p\/.*/, "");
}

function beginningOf(full: Buffer, { kind, width }: TileFile): Buffer {
  if (kind === "tile") return full.subarray(0, width * HASH_BYTES);
  return writeBundle(readBundle(full).entries.slice(0, width));
}

async function assertCovered(trail: TrailPlace, file: TileFile): Promise<void> {
  const note = await read(trail, "checkpoint");
  if (note === undefined) throw missing(trail, { kind: "checkpoint", path: "checkpoint" });
  const { size } = parseCheckpoint(parseNote(note).text);
  if (file.end > hashesAt(file.level, size)) throw notYet(trail, file, size);
}

async function read(
  { name, directory }: TrailPlace,
  path: string,
  reserve?: (bytes: number) => void,
): Promise<Buffer | undefined> {
  await using handle = await open(join(directory, path), "r").catch((error: NodeJS.ErrnoException) => {
    const { code = "an error" } = error;
    if (code === "ENOENT") return undefined;
    throw new NoTrail(`${path} of the audit trail ${name} cannot be read (${code})`, { cause: error });
  });
  if (handle === undefined) return undefined;
  reserve?.((await handle.stat()).size);
  return await handle.readFile();
}

/** What is not ours to serve. */
export function elsewhere({ name, bucket }: TrailElsewhere): NoTrail {
  return new NoTrail(`The audit trail ${name} is in ${bucket}: it is not served here`, {
    hint: `Read it there, with nomad-changefeed audit verify ${bucket}, or as files where the store serves them`,
  });
}

function notYet({ name }: TrailPlace, { path }: TrailFile, size: number): NoTrail {
  return new NoTrail(`The audit trail ${name} has no ${path}: its checkpoint has ${size} entries`, {
    hint: "Ask for the checkpoint, and for what a tree of its size has",
  });
}

function missing({ name }: TrailPlace, { kind, path }: Pick<TrailFile, "kind" | "path">): NoTrail {
  if (kind !== "checkpoint") {
    const hint = "It was taken away: audit verify tells what is missing";
    return new NoTrail(`The audit trail ${name} has no ${path}`, { hint });
  }
  return new NoTrail(
    `The directory of the audit trail ${name} has no checkpoint on the machine that answers`,
    {
      hint: "The worker that delivers to it has it: GET /v1/deliveries says which; ask that one, or give this one the same directory",
    },
  );
}
