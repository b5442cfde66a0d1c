import { z } from "zod";
import { genesisEntrySchema } from "../../schemas/audit.ts";
import { readBundle } from "../../tlog/bundle.ts";
import { firstBundle } from "../../tlog/first-bundle.ts";
import { HASH_BYTES, leafHash } from "../../tlog/hash.ts";
import { bundlePath, TILE_WIDTH, tileAt, tilePath, type Tile } from "../../tlog/tiles.ts";
import { TrailDamaged } from "./errors.ts";
import type { TrailStore } from "./store.ts";

/** A gap and a new epoch do not say it. */
const feedSchema = z.union([
  genesisEntrySchema.transform(({ feed }) => feed),
  z.object({ source: z.string() }).transform(({ source }) => source),
]);

/** The entries of a trail of that size, each of which hashes to its leaf in the tree. */
export class StoredEntries {
  readonly size: number;
  readonly #store: Pick<TrailStore, "name" | "read" | "has">;

  constructor(store: Pick<TrailStore, "name" | "read" | "has">, size: number) {
    this.#store = store;
    this.size = size;
  }

  /** @throws TrailDamaged where it is not there */
  tile(tile: Tile): Promise<Buffer> {
    return this.#read(tilePath(tile));
  }

  /** Those from number `index * 256` on, at most 256. @throws TrailDamaged */
  async bundle(index: number): Promise<Buffer[]> {
    const tile = tileAt(0, index, this.size);
    if (tile === undefined) return [];
    const path = bundlePath(tile);
    const [bundle, hashes] = await Promise.all([this.#read(path), this.tile(tile)]);
    const { entries, tornBytes } = readBundle(bundle);
    if (entries.length !== tile.width || tornBytes > 0)
      throw new TrailDamaged(this.#store.name, `${path} does not hold ${tile.width} whole entries`);
    const wrong = entries.findIndex((entry, at) => !leafHash(entry).equals(hashAt(hashes, at)));
    if (wrong === -1) return entries;
    const what = `entry ${index * TILE_WIDTH + wrong} in ${path} does not hash to its leaf in ${tilePath(tile)}`;
    throw new TrailDamaged(this.#store.name, what);
  }

  /** Index of the first that was not pruned. */
  async first(): Promise<number> {
    const isThere = (index: number) =>
      this.#store.has(bundlePath(tileAt(0, index, this.size) ?? { index, width: TILE_WIDTH }));
    return (await firstBundle(Math.ceil(this.size / TILE_WIDTH), isThere)) * TILE_WIDTH;
  }

  /** The feed that the trail is of, as the first entry that is kept says; undefined where it has no entries. */
  async feed(): Promise<string | undefined> {
    const first = tileAt(0, (await this.first()) / TILE_WIDTH, this.size);
    const bundle = first && (await this.#store.read(bundlePath(first)));
    for (const entry of bundle === undefined ? [] : readBundle(bundle).entries) {
      const feed = feedSchema.safeParse(JSON.parse(entry.toString("utf8")));
      if (feed.success) return feed.data;
    }
    return undefined;
  }

  async #read(path: string): Promise<Buffer> {
    const bytes = await this.#store.read(path);
    if (bytes === undefined) throw new TrailDamaged(this.#store.name, `${path} is not there`);
    return bytes;
  }
}

function hashAt(hashes: Buffer, at: number): Buffer {
  return hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
}
