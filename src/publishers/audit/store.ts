import type { FileBytes } from "./disk.ts";

export const CHECKPOINT = "checkpoint";

/**
 * Where a trail is: all paths are its own, as "tile/0/000". One writer at a time has it. Not for concurrent calls; after
 * one that fails, open it anew.
 */
export interface TrailStore extends AsyncDisposable {
  /** As people know it. */
  readonly name: string;
  /** Undefined where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  has(path: string): Promise<boolean>;
  /** Whether there are tiles. */
  hasTiles(): Promise<boolean>;
  /** The checkpoint that is there, which the next one takes the place of. Undefined where there is none. */
  readCheckpoint(): Promise<Buffer | undefined>;
  /** Makes sure that nobody else goes on from the checkpoint that was read. @throws TrailInUse */
  claim(): Promise<void>;
  /** Removes what a killed writer wrote beyond the signed tree, where it could be taken for part of it. */
  removeUnsigned(size: number): Promise<void>;
  /** Tiles and bundles, and the checkpoint that covers them. `coming`: their paths, in about the order in which they are added. */
  begin(coming: readonly string[]): TrailWriting;
  /** In place of what is there by that name, at once: a reader sees the one or the other. */
  replace(file: FileBytes): Promise<void>;
  /** A folder with all that is in it; it may be that there is none. */
  removeFolder(path: string): Promise<void>;
}

/** Files that are on their way while more of them are made. Nothing is at work any more once it is disposed of. */
export interface TrailWriting extends AsyncDisposable {
  add(file: FileBytes): void;
  /**
   * Once all of them are sure to stay, the checkpoint takes the place of the one that was read or written here last, and
   * of no other. @throws TrailUnusable
   */
  end(checkpoint: Buffer): Promise<void>;
}
