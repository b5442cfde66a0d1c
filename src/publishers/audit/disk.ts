import { constants } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir, unlink, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

const OWNER_ONLY = 0o600;
const OWNERS_FOLDER = 0o700;

/**
 * A write that returns once it is on the disk is a call less for each file, and one that need not wait until the event loop
 * comes round. Elsewhere than on Linux it does not mean as much as fdatasync.
 */
const isWrittenThrough = process.platform === "linux";
const WRITTEN =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (isWrittenThrough ? constants.O_DSYNC : 0);

/** Files that are open before they are written, so that no write waits for it. */
const OPEN_AHEAD = 32;

export interface FileBytes {
  /** Below the root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files that are written while more of them are made. Nothing is at work any more once it is disposed of. */
export interface Writing extends AsyncDisposable {
  /** In place of what is there by that name: only for what nobody relies on yet. */
  add(file: FileBytes): void;
  /** Resolves once all are on the disk, with their names. */
  end(): Promise<void>;
}

/**
 * Files below a directory that are on the disk, with their names, once a call ends. Not for concurrent calls; after one
 * that fails, make it anew.
 */
export class DurableFiles {
  readonly #root: string;
  /** Folders that are there; their names are on the disk once the call that made them ends. */
  readonly #folders = new Map([[".", Promise.resolve()]]);

  /** `root` has to be there. */
  constructor(root: string) {
    this.#root = root;
  }

  /** `coming`: paths of what is going to be added, in about that order; they are opened meanwhile. */
  begin(coming: readonly string[]): Writing {
    const changed = new Set<string>();
    const named: Promise<unknown>[] = [];
    const written: Promise<unknown>[] = [];
    const failures: unknown[] = [];
    const failed = (error: unknown) => failures.push(error);
    /** By path: to open a file a second time would empty it. */
    const opened = new Map<string, Promise<FileHandle>>();
    const unused = new Set<Promise<FileHandle>>();
    const openNew = (path: string) => {
      const handle = this.#open(path, changed);
      opened.set(path, handle);
      unused.add(handle);
      named.push(handle.catch(failed));
      return handle;
    };
    const openOnce = (path: string) => opened.get(path) ?? openNew(path);
    const next = coming[Symbol.iterator]();
    const openNext = () => {
      const { value } = next.next();
      if (value !== undefined) void openOnce(value);
    };
    for (let count = 0; count < OPEN_AHEAD; count += 1) openNext();
    const add = ({ path, bytes }: FileBytes) => {
      openNext();
      const handle = openOnce(path);
      unused.delete(handle);
      written.push(handle.then((file) => writeWhole(file, bytes)).catch(failed));
    };
    const settle = async () => {
      const closed = [...unused].map((handle) => handle.then((file) => file.close()).catch(failed));
      unused.clear();
      await Promise.all([...closed, ...written]);
    };
    const end = async () => {
      await Promise.all(named);
      // The names are on their way to the disk together with what is still written.
      const folders = [...changed].map((folder) => this.#syncFolder(folder).catch(failed));
      await Promise.all([settle(), ...folders]);
      if (failures.length > 0) throw failures[0];
    };
    return { add, end, [Symbol.asyncDispose]: settle };
  }

  /** In place of what is there by that name, at once: a reader sees the one or the other. */
  async replace({ path, bytes }: FileBytes): Promise<void> {
    const writing = this.begin([]);
    writing.add({ path: madeFor(path), bytes });
    await writing.end();
    await this.putInPlace(path);
  }

  /** What was written as `madeFor(path)` takes the place of what is there. */
  async putInPlace(path: string): Promise<void> {
    await rename(join(this.#root, madeFor(path)), join(this.#root, path));
    await syncFolder(join(this.#root, dirname(path)));
  }

  /** A folder with all that is in it; it may be that there is none. */
  async removeFolder(path: string): Promise<void> {
    const folder = join(this.#root, path);
    this.#folders.delete(path);
    try {
      // It has nothing but files, at each of which `rm` would look first.
      const names = await readdir(folder);
      await Promise.allSettled(names.map((name) => unlink(join(folder, name))));
      await rmdir(folder);
    } catch {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #open(path: string, changed: Set<string>): Promise<FileHandle> {
    const folder = dirname(path);
    changed.add(folder);
    await this.#ensure(folder, changed);
    return open(join(this.#root, path), WRITTEN, OWNER_ONLY);
  }

  #ensure(folder: string, changed: Set<string>): Promise<void> {
    const there = this.#folders.get(folder) ?? this.#make(folder, changed);
    this.#folders.set(folder, there);
    return there;
  }

  async #make(folder: string, changed: Set<string>): Promise<void> {
    const parent = dirname(folder);
    await this.#ensure(parent, changed);
    await mkdir(join(this.#root, folder), { mode: OWNERS_FOLDER }).catch(unlessThere);
    changed.add(parent);
  }

  #syncFolder(folder: string): Promise<void> {
    return syncFolder(join(this.#root, folder));
  }
}

async function writeWhole(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  await using _ = handle;
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
  if (!isWrittenThrough) await handle.datasync();
}

/** Where a file is until it takes the place of the one at `path`. */
export function madeFor(path: string): string {
  return `${path}.new`;
}

/** So that the names in it are found after a crash. */
export async function syncFolder(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}

/** For what may be there. */
export function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

/** For what may not be there. */
export function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
