import { parseCheckpoint, type Checkpoint } from "../../tlog/checkpoint.ts";
import { NoteSignatureError, TlogFormatError } from "../../tlog/errors.ts";
import { openNote } from "../../tlog/note.ts";
import { TILE_WIDTH } from "../../tlog/tiles.ts";
import { TreeEdge } from "../../tlog/tree.ts";
import type { TrailEnd } from "./addition.ts";
import { TrailDamaged, TrailOfAnother } from "./errors.ts";
import { StoredEntries } from "./stored-entries.ts";
import type { TrailStore } from "./store.ts";
import { endOf } from "./trail-end.ts";
import type { TrailKeys } from "./trail-keys.ts";

/** What it takes to go on with a trail. */
export interface StoredTrail {
  readonly edge: TreeEdge;
  /** Entries of the bundle that is not full. */
  readonly rest: readonly Buffer[];
  readonly end: TrailEnd | undefined;
  /** CloudEvents source of the feed that it is of, where it says so. */
  readonly feed: string | undefined;
}

/**
 * A trail as its last signed checkpoint says. What lies beyond that, as a killed writer leaves it, does not count.
 * Undefined where nothing was written yet. @throws TrailDamaged, TrailOfAnother, and what the system says
 */
export async function readTrail(store: TrailStore, keys: TrailKeys): Promise<StoredTrail | undefined> {
  const note = await store.readCheckpoint();
  if (note !== undefined) return trailOf(store, openCheckpoint(store.name, note, keys));
  if (!(await store.hasTiles())) return undefined;
  throw new TrailDamaged(store.name, "its checkpoint is gone");
}

function openCheckpoint(name: string, note: Buffer, { origin, verifiers }: TrailKeys): Checkpoint {
  try {
    const checkpoint = parseCheckpoint(openNote(note, verifiers).text);
    if (checkpoint.origin === origin) return checkpoint;
    throw new TrailOfAnother(`The audit trail in ${name} is of ${checkpoint.origin}, not of ${origin}`, {
      hint: "A trail has the name of its key: give this key a directory or a prefix of its own",
    });
  } catch (error) {
    if (error instanceof TlogFormatError)
      throw new TrailDamaged(name, `its checkpoint cannot be read. ${error.message}`, error);
    if (!(error instanceof NoteSignatureError)) throw error;
    throw new TrailOfAnother(
      `The checkpoint of the audit trail in ${name} is not one that the configured key signed. ${error.message}`,
      { hint: "Configure the key that signed it, beside the new one where you change keys", cause: error },
    );
  }
}

async function trailOf(store: TrailStore, { size, root }: Checkpoint): Promise<StoredTrail> {
  const entries = new StoredEntries(store, size);
  try {
    const edge = await TreeEdge.read(size, (tile) => entries.tile(tile));
    if (!edge.root().equals(root))
      throw new TrailDamaged(store.name, `its tiles do not hash to the root of ${size} entries`);
    const rest = size % TILE_WIDTH === 0 ? [] : await entries.bundle(Math.floor(size / TILE_WIDTH));
    return { edge, rest, end: await endOf(entries), feed: await entries.feed() };
  } catch (error) {
    if (!(error instanceof TlogFormatError)) throw error;
    throw new TrailDamaged(store.name, error.message, error);
  }
}
