import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeBundle } from "../../tlog/bundle.ts";
import { leafHash } from "../../tlog/hash.ts";
import { bundlePath, newBundles, TILE_WIDTH, tilePath } from "../../tlog/tiles.ts";
import { TreeEdge } from "../../tlog/tree.ts";
import type { Addition, TrailEnd } from "./addition.ts";
import { DurableFiles, type FileBytes } from "./disk.ts";
import { TrailDamaged } from "./errors.ts";
import { CHECKPOINT, readTrail, type StoredTrail } from "./stored-trail.ts";
import type { TrailKeys } from "./trail-keys.ts";
import { removeUnsigned } from "./unsigned-files.ts";

/**
 * A transparency log in a directory, by C2SP tlog-tiles, for one writer. What is added is on the disk before a
 * checkpoint says so, and the checkpoint is before anybody can read it. Not for concurrent calls; after one that fails,
 * open it anew.
 */
export class Trail {
  /** CloudEvents source of the feed that it was opened as the trail of; undefined where it does not say. */
  readonly feed: string | undefined;
  readonly #directory: string;
  readonly #keys: TrailKeys;
  readonly #files: DurableFiles;
  readonly #edge: TreeEdge;
  /** Entries of the bundle that is not full. */
  #rest: readonly Buffer[];
  #end: TrailEnd | undefined;
  /** Which file our last checkpoint is. */
  #checkpointId: string | undefined;
  #checkpoint: string | undefined;

  private constructor(directory: string, keys: TrailKeys, { edge, rest, end, feed }: StoredTrail) {
    this.#directory = directory;
    this.#keys = keys;
    this.#files = new DurableFiles(directory);
    this.#edge = edge;
    this.#rest = rest;
    this.#end = end;
    this.feed = feed;
  }

  /** `directory` has to be there. @throws TrailDamaged, TrailOfAnother, and what the system says */
  static async open(directory: string, keys: TrailKeys): Promise<Trail> {
    const stored = await readTrail(directory, keys);
    const empty = { edge: TreeEdge.empty(), rest: [], end: undefined, feed: undefined };
    const trail = new Trail(directory, keys, stored ?? empty);
    // Of the empty tree first: whoever finds tiles without a checkpoint knows that it was taken away.
    if (stored === undefined) await trail.#sign();
    else trail.#checkpointId = await trail.#readCheckpointId();
    await removeUnsigned(directory, trail.size);
    return trail;
  }

  get size(): number {
    return this.#edge.size;
  }

  /** The last one that was signed since it was opened. */
  get checkpoint(): string | undefined {
    return this.#checkpoint;
  }

  get end(): TrailEnd | undefined {
    return this.#end;
  }

  /** Rejects where `signal` aborts before the checkpoint is signed. */
  async append({ entries, objects, end }: Addition, signal: AbortSignal): Promise<void> {
    const before = this.#edge.size;
    for (const entry of entries) this.#edge.append(leafHash(entry));
    const tiles = this.#edge.takeTiles().map(({ tile, bytes }) => ({ path: tilePath(tile), bytes }));
    const bundles = this.#bundles(before, entries);
    for (const object of objects) await this.#files.replace(object);
    await this.#files.write([...bundles, ...tiles]);
    signal.throwIfAborted();
    await this.#assertOurs();
    await this.#sign();
    this.#end = end;
    await this.#removePartials([...bundles, ...tiles]);
  }

  #bundles(before: number, entries: readonly Buffer[]): FileBytes[] {
    const first = before - this.#rest.length;
    const all = [...this.#rest, ...entries];
    this.#rest = all.slice(all.length - (this.#edge.size % TILE_WIDTH));
    return [...newBundles(before, this.#edge.size)].map((bundle) => {
      const from = bundle.index * TILE_WIDTH - first;
      return { path: bundlePath(bundle), bytes: writeBundle(all.slice(from, from + bundle.width)) };
    });
  }

  async #sign(): Promise<void> {
    const checkpoint = this.#keys.sign({ size: this.#edge.size, root: this.#edge.root() });
    await this.#files.replace({ path: CHECKPOINT, bytes: Buffer.from(checkpoint) });
    this.#checkpointId = await this.#readCheckpointId();
    this.#checkpoint = checkpoint;
  }

  /** The lock keeps others away; what takes no heed of it is noticed. */
  async #assertOurs(): Promise<void> {
    if ((await this.#readCheckpointId()) === this.#checkpointId) return;
    throw new TrailDamaged(
      this.#directory,
      "something else wrote the checkpoint while this process had the trail",
    );
  }

  async #readCheckpointId(): Promise<string> {
    const { dev, ino, size, mtimeNs } = await stat(join(this.#directory, CHECKPOINT), { bigint: true });
    return `${dev}/${ino}/${size}/${mtimeNs}`;
  }

  /** Of what is full now: nobody needs them any more. */
  async #removePartials(written: readonly FileBytes[]): Promise<void> {
    const full = written.filter(({ path }) => !path.includes(".p/"));
    await Promise.all(
      full.map(({ path }) => rm(join(this.#directory, `${path}.p`), { recursive: true, force: true })),
    );
  }
}
