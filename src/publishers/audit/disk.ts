import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

const OWNER_ONLY = 0o600;
const OWNERS_FOLDER = 0o700;

export interface FileBytes {
  /** Below the root. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files below a directory that are on the disk, with their names, once a call ends. Not for concurrent calls. */
export class DurableFiles {
  readonly #root: string;
  /** Folders whose names are on the disk. */
  readonly #folders = new Set(["."]);

  /** `root` has to be there. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Each in place of what is there by that name: only for what nobody relies on yet. */
  async write(files: readonly FileBytes[]): Promise<void> {
    const changed = new Set<string>();
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) await this.#ensure(folder, changed);
    await Promise.all(files.map((file) => this.#write(file)));
    await this.#syncFolders([...changed, ...files.map(({ path }) => dirname(path))]);
  }

  /** In place of what is there by that name, at once: a reader sees the one or the other. */
  async replace({ path, bytes }: FileBytes): Promise<void> {
    const changed = new Set([dirname(path)]);
    await this.#ensure(dirname(path), changed);
    const made = `${path}.new`;
    await this.#write({ path: made, bytes });
    await rename(join(this.#root, made), join(this.#root, path));
    await this.#syncFolders([...changed]);
  }

  async #ensure(folder: string, changed: Set<string>): Promise<void> {
    if (this.#folders.has(folder)) return;
    const parent = dirname(folder);
    await this.#ensure(parent, changed);
    await mkdir(join(this.#root, folder), { mode: OWNERS_FOLDER }).catch(unlessThere);
    changed.add(parent);
    this.#folders.add(folder);
  }

  async #write({ path, bytes }: FileBytes): Promise<void> {
    await using handle = await open(join(this.#root, path), "w", OWNER_ONLY);
    await handle.writeFile(bytes);
    await handle.datasync();
  }

  async #syncFolders(folders: readonly string[]): Promise<void> {
    await Promise.all([...new Set(folders)].map((folder) => syncFolder(join(this.#root, folder))));
  }
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
