import { leafHash } from "../../src/tlog/hash.ts";
import { hashesFromTiles, type ReadHash } from "../../src/tlog/tile-hashes.ts";
import { TreeEdge, type ReadTile } from "../../src/tlog/tree.ts";
import { tilePath, type Tile } from "../../src/tlog/tiles.ts";

/** A tree in memory, tiles as files would be. */
export class MemoryTree {
  readonly files = new Map<string, Buffer>();
  readonly leaves: Buffer[] = [];
  edge = TreeEdge.empty();

  readonly readTile: ReadTile = async (tile: Tile) => {
    const bytes = this.files.get(tilePath(tile));
    if (bytes === undefined) throw new Error(`no ${tilePath(tile)}`);
    return bytes;
  };

  /** Answers the paths written. */
  append(...entries: readonly Uint8Array[]): string[] {
    for (const entry of entries) {
      const leaf = leafHash(entry);
      this.leaves.push(leaf);
      this.edge.append(leaf);
    }
    return this.edge.takeTiles().map(({ tile, bytes }) => {
      this.files.set(tilePath(tile), bytes);
      return tilePath(tile);
    });
  }

  readHash(): ReadHash {
    return hashesFromTiles(this.edge.size, this.readTile);
  }
}
