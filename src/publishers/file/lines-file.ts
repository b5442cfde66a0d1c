import { constants } from "node:fs";
import { open, rename, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { FileUnusable } from "./errors.ts";

const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDWR } = constants;
/** A pipe in the file's place does not hold up whoever opens it. */
const FLAGS = O_APPEND | O_CREAT | O_NONBLOCK | O_RDWR;
const OWNER_ONLY = 0o600;
const TAIL_BYTES = 64 * 1024;
const LINE_BREAK = 0x0a;
const BRACE = 0x7b;

interface Opened {
  readonly handle: FileHandle;
  readonly id: string;
  /** Where our last whole line ends. */
  bytes: number;
}

export interface LinesFileOptions {
  readonly path: string;
  /** Size beyond which the next lines begin a new file. */
  readonly maxBytes: number;
  /** How many older ones stay beside it: `<path>.1`, the newest, to `<path>.<keep>`. */
  readonly keep: number;
  /** Whether lines are forced to the disk before they count as written. */
  readonly syncs: boolean;
  /** What a killed writer left at the end was cut off. */
  readonly onRepair: (bytes: number) => void;
}

/**
 * A file of lines with one writer. `append` ends when the lines are in the file, with `syncs` on the disk; where it fails,
 * none of them is there. Follows the path: what was moved away is let go, and begun anew. Not for concurrent calls.
 */
export class LinesFile implements AsyncDisposable {
  readonly #options: LinesFileOptions;
  #opened: Opened | undefined;

  constructor(options: LinesFileOptions) {
    this.#options = options;
  }

  /** @throws FileUnusable where somebody has to act; else what the system says */
  async append(lines: Buffer, signal: AbortSignal): Promise<void> {
    let opened = await this.#current();
    if (opened.bytes > 0 && opened.bytes + lines.length > this.#options.maxBytes) {
      await this.#rotate();
      opened = await this.#current();
    }
    try {
      await opened.handle.appendFile(lines);
      if (this.#options.syncs) await opened.handle.datasync();
      signal.throwIfAborted();
      opened.bytes += lines.length;
    } catch (error) {
      await this.#takeBack(opened, lines.length);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.handle.close();
  }

  async #current(): Promise<Opened> {
    const { path } = this.#options;
    const there = await stat(path).catch(nothingThere);
    if (there !== undefined && !there.isFile()) throw new FileUnusable(`${path} is no regular file`);
    const opened = this.#opened;
    if (opened !== undefined && there !== undefined && opened.id === idOf(there)) {
      if (there.size === opened.bytes) return opened;
      await this[Symbol.asyncDispose]();
      throw new FileUnusable(`another writer has changed ${path}: give each destination a file of its own`);
    }
    await this[Symbol.asyncDispose]();
    this.#opened = await this.#open(there === undefined);
    return this.#opened;
  }

  async #open(isNew: boolean): Promise<Opened> {
    const handle = await open(this.#options.path, FLAGS, OWNER_ONLY);
    try {
      const facts = await handle.stat();
      const bytes = await this.#repair(handle, facts.size);
      if (isNew && this.#options.syncs) await syncDirectory(this.#options.path);
      return { handle, id: idOf(facts), bytes };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Cuts off a line without an end. Its batch was never answered ok, so that it is sent again. */
  async #repair(handle: FileHandle, bytes: number): Promise<number> {
    const whole = await endOfLastLine(handle, bytes);
    if (whole === bytes) return bytes;
    const first = await handle.read(Buffer.alloc(1), 0, 1, whole);
    if (first.buffer[0] !== BRACE)
      throw new FileUnusable(`${this.#options.path} does not end with a line of JSON`);
    await handle.truncate(whole);
    this.#options.onRepair(bytes - whole);
    return whole;
  }

  /** Only what can be ours is cut off: a file that has grown by more has another writer, whom `#current` finds. */
  async #takeBack({ handle, bytes }: Opened, written: number): Promise<void> {
    try {
      const { size } = await handle.stat();
      if (size > bytes && size <= bytes + written) await handle.truncate(bytes);
    } catch {
      await this[Symbol.asyncDispose]().catch(() => undefined);
    }
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    await this[Symbol.asyncDispose]();
    const numbered = (number: number) => `${path}.${number}`;
    // A crash between two moves left a gap: those behind it stay where they are.
    let free = 1;
    while (free < keep && (await stat(numbered(free)).catch(nothingThere)) !== undefined) free += 1;
    for (let number = free; number > 1; number -= 1) await rename(numbered(number - 1), numbered(number));
    await rename(path, numbered(1));
  }
}

async function endOfLastLine(handle: FileHandle, bytes: number): Promise<number> {
  const buffer = Buffer.alloc(TAIL_BYTES);
  for (let end = bytes; end > 0;) {
    const start = Math.max(0, end - TAIL_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, end - start, start);
    const found = buffer.subarray(0, bytesRead).lastIndexOf(LINE_BREAK);
    if (found !== -1) return start + found + 1;
    end = start;
  }
  return 0;
}

function idOf({ dev, ino }: { dev: number; ino: number }): string {
  return `${dev}/${ino}`;
}

/** The name of a new file is only then sure to be found after a crash. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function nothingThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
