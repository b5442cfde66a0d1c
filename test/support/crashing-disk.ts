import { constants, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import promises, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** So slow is a disk that whoever does not wait for it is too early. */
const WRITE_MS = 3;

type Operations = Pick<typeof promises, "mkdir" | "open" | "rename" | "rm" | "rmdir" | "unlink">;

/** What the process is told of everything that it asks for once it is "dead". */
class Crashed extends Error {}

/**
 * Counts what this process does to files below a directory, and at one operation lets it die: nothing is done any more.
 * "killed": what was written stays, of a write under way half. "unplugged": what was not forced to the disk is lost as
 * far as it can be: contents are zeros, names are not there, what was replaced is back.
 */
export class CrashingDisk implements Disposable {
  readonly #root: string;
  readonly #kind: "killed" | "unplugged";
  readonly #originals: Operations = {
    mkdir: promises.mkdir,
    open: promises.open,
    rename: promises.rename,
    rm: promises.rm,
    rmdir: promises.rmdir,
    unlink: promises.unlink,
  };
  /** How many operations are left. */
  #left: number;
  #isDead = false;
  /** By path, as they are sure to be after the power is back. */
  readonly #contents = new Map<string, Buffer>();
  /** Names that are not on the disk yet, and what was there by that name. */
  readonly #names = new Map<string, Buffer | undefined>();

  constructor(root: string, { at, kind }: { at: number; kind: "killed" | "unplugged" }) {
    this.#root = root;
    this.#kind = kind;
    this.#left = at;
    Object.assign(promises, {
      mkdir: this.#mkdir,
      open: this.#open,
      rename: this.#rename,
      rm: this.#rm,
      rmdir: this.#rmdir,
      unlink: this.#unlink,
    });
    syncBuiltinESMExports();
  }

  get hasCrashed(): boolean {
    return this.#isDead;
  }

  /** The machine is there again. */
  [Symbol.dispose](): void {
    Object.assign(promises, this.#originals);
    syncBuiltinESMExports();
    if (!this.#isDead || this.#kind === "killed") return;
    for (const [path, sure] of this.#contents) {
      if (!existsSync(path)) continue;
      const lost = readFileSync(path).length - sure.length;
      writeFileSync(path, Buffer.concat([sure, Buffer.alloc(Math.max(0, lost))]));
    }
    for (const [path, before] of [...this.#names].toReversed()) {
      if (before === undefined) rmSync(path, { recursive: true, force: true });
      else writeFileSync(path, before);
    }
  }

  readonly #mkdir = async (path: string, options: object): Promise<unknown> => {
    this.#step();
    const done = await this.#originals.mkdir(path, options);
    this.#names.set(path, undefined);
    return done;
  };

  readonly #rename = async (from: string, to: string): Promise<void> => {
    this.#step();
    const before = existsSync(to) ? readFileSync(to) : undefined;
    await this.#originals.rename(from, to);
    const sure = this.#contents.get(from);
    this.#contents.delete(from);
    if (sure !== undefined) this.#contents.set(to, sure);
    this.#names.delete(from);
    if (!this.#names.has(to)) this.#names.set(to, before);
  };

  readonly #rm = async (path: string, options: object): Promise<void> => {
    this.#step();
    await this.#originals.rm(path, options);
  };

  readonly #rmdir = async (path: string): Promise<void> => {
    this.#step();
    await this.#originals.rmdir(path);
  };

  readonly #unlink = async (path: string): Promise<void> => {
    this.#step();
    await this.#originals.unlink(path);
  };

  readonly #open = async (path: string, flags: string | number, mode?: number): Promise<FileHandle> => {
    this.#step();
    const isNew = !existsSync(path);
    const sure = this.#contents.get(path) ?? (isNew || flags === "r" ? undefined : readFileSync(path));
    const handle = await this.#originals.open(path, flags, mode);
    if (isNew) this.#names.set(path, undefined);
    if (flags === "r") return Object.assign(handle, { sync: this.#syncOf(handle, path) });
    if (typeof flags === "number")
      return Object.assign(handle, { write: this.#writeThroughOf(handle, path, flags) });
    const write = this.#writeOf(handle, path, flags === "w" ? Buffer.alloc(0) : (sure ?? Buffer.alloc(0)));
    const sync = this.#syncOf(handle, path);
    return Object.assign(handle, { writeFile: write, appendFile: write, datasync: sync, sync });
  };

  #writeOf(handle: FileHandle, path: string, sure: Buffer) {
    const write = handle.write.bind(handle);
    return async (bytes: Uint8Array): Promise<void> => {
      this.#contents.set(path, sure);
      if (this.#left === 1) await write(bytes.subarray(0, bytes.length >> 1));
      this.#step();
      await write(bytes);
    };
  }

  /** Sure to stay once it ends, if the file was opened so. */
  #writeThroughOf(handle: FileHandle, path: string, flags: number) {
    const write = this.#writeOf(handle, path, Buffer.alloc(0));
    return async (bytes: Uint8Array, at: number): Promise<{ bytesWritten: number }> => {
      await write(bytes.subarray(at));
      await delay(WRITE_MS);
      this.#assertAlive();
      if ((flags & constants.O_DSYNC) !== 0) this.#contents.delete(path);
      return { bytesWritten: bytes.length - at };
    };
  }

  /** Of a file, or of the names in a folder. */
  #syncOf(handle: FileHandle, path: string) {
    const sync = handle.sync.bind(handle);
    return async (): Promise<void> => {
      this.#step();
      await sync();
      this.#contents.delete(path);
      for (const name of this.#names.keys()) if (dirname(name) === path) this.#names.delete(name);
    };
  }

  #step(): void {
    this.#left -= 1;
    if (this.#left <= 0) this.#isDead = true;
    this.#assertAlive();
  }

  #assertAlive(): void {
    if (this.#isDead) throw new Crashed(`${join(this.#root)} died`);
  }
}
