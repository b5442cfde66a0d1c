import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { FileLock } from "../../shared/file-lock.ts";
import { DurableFiles, madeFor, unlessMissing, type FileBytes, type Writing } from "./disk.ts";
import { TrailDamaged, TrailInUse, TrailNotThere } from "./errors.ts";
import { CHECKPOINT, type TrailStore, type TrailWriting } from "./store.ts";
import { removeUnsigned } from "./unsigned-files.ts";

const LOCK = "writer.lock";

/** A trail below a directory, which a lock of the file system keeps for one writer. */
export class DirectoryStore implements TrailStore {
  readonly name: string;
  readonly #lock: FileLock;
  readonly #files: DurableFiles;
  /** Which file the checkpoint is that was read or written here; undefined where there was none. */
  #checkpointId: string | undefined;

  private constructor(directory: string, lock: FileLock) {
    this.name = directory;
    this.#lock = lock;
    this.#files = new DurableFiles(directory);
  }

  /** `directory` has to be there. @throws TrailNotThere, TrailInUse, and what the system says */
  static async open(directory: string): Promise<DirectoryStore> {
    await access(directory, constants.W_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ENOENT" ? new TrailNotThere(directory, error) : error;
    });
    const lock = FileLock.acquire(join(directory, LOCK));
    if (lock === undefined) throw new TrailInUse(directory);
    return new DirectoryStore(directory, lock);
  }

  async read(path: string): Promise<Buffer | undefined> {
    return readFile(join(this.name, path)).catch(unlessMissing);
  }

  async has(path: string): Promise<boolean> {
    return (await stat(join(this.name, path)).catch(unlessMissing)) !== undefined;
  }

  hasTiles(): Promise<boolean> {
    return this.has("tile");
  }

  async readCheckpoint(): Promise<Buffer | undefined> {
    this.#checkpointId = await this.#idOf(CHECKPOINT);
    return this.read(CHECKPOINT);
  }

  /** The lock did. */
  async claim(): Promise<void> {}

  removeUnsigned(size: number): Promise<void> {
    return removeUnsigned(this.name, size);
  }

  begin(coming: readonly string[]): TrailWriting {
    const writing = this.#files.begin([...coming, madeFor(CHECKPOINT)]);
    return {
      add: (file) => writing.add(file),
      end: (checkpoint) => this.#end(writing, checkpoint),
      [Symbol.asyncDispose]: () => writing[Symbol.asyncDispose](),
    };
  }

  replace(file: FileBytes): Promise<void> {
    return this.#files.replace(file);
  }

  removeFolder(path: string): Promise<void> {
    return this.#files.removeFolder(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock[Symbol.dispose]();
  }

  /** The lock keeps others away; what takes no heed of it is noticed. */
  async #end(writing: Writing, checkpoint: Buffer): Promise<void> {
    // Beside the tiles, as it need not wait for them to be on the disk: under its own name it does.
    writing.add({ path: madeFor(CHECKPOINT), bytes: checkpoint });
    await writing.end();
    // It stays the same file under its new name.
    const [there, next] = await Promise.all(
      [CHECKPOINT, madeFor(CHECKPOINT)].map((path) => this.#idOf(path)),
    );
    if (there !== this.#checkpointId)
      throw new TrailDamaged(
        this.name,
        "something else wrote the checkpoint while this process had the trail",
      );
    await this.#files.putInPlace(CHECKPOINT);
    this.#checkpointId = next;
  }

  /** Tells the file from any other that takes its place; undefined where there is none. */
  async #idOf(path: string): Promise<string | undefined> {
    const found = await stat(join(this.name, path), { bigint: true }).catch(unlessMissing);
    return found && `${found.dev}/${found.ino}/${found.size}/${found.mtimeNs}`;
  }
}
