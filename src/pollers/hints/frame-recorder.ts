import { open, rename, type FileHandle } from "node:fs/promises";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";

export interface FrameRecorderDeps {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "hintFramesUnrecorded">;
  readonly clock: Pick<Clock, "elapsed">;
}

/** Bytes of frames that wait to be written; what comes beyond is left out. */
const MOST_WAITING = 64 * 2 ** 20;
const REMIND_EVERY_MS = 10 * 60_000;
const NEWLINE = Buffer.from("\n");

/**
 * Writes frames of the event stream to a file, as Nomad wrote them, a line each. When the file has half of the bytes
 * that there may be, it is renamed to `<path>.1`, in place of the one before. Never holds anybody up: what cannot be
 * written is left out, counted and said.
 */
export class FrameRecorder implements AsyncDisposable {
  readonly #path: string;
  readonly #mostInFile: number;
  readonly #deps: FrameRecorderDeps;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #saidMs = Number.NEGATIVE_INFINITY;
  #leftOut = 0;

  constructor({ path, maxBytes }: { path: string; maxBytes: number }, deps: FrameRecorderDeps) {
    this.#path = path;
    this.#mostInFile = Math.floor(maxBytes / 2);
    this.#deps = deps;
  }

  record(line: Buffer): void {
    const bytes = line.length + NEWLINE.length;
    if (bytes > this.#mostInFile) this.#leaveOut(1, `a frame has ${bytes} bytes`);
    else if (this.#waitingBytes + bytes > MOST_WAITING) this.#leaveOut(1, "the disk is too slow");
    else {
      this.#waiting.push(Buffer.concat([line, NEWLINE]));
      this.#waitingBytes += bytes;
      this.#writing ??= this.#write();
    }
  }

  /** Resolves when all that waits is written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Frames come in numbers.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#append(lines);
    }
    this.#writing = undefined;
  }

  async #append(lines: Buffer[]): Promise<void> {
    try {
      while (lines.length > 0) await this.#appendToFile(lines);
    } catch (error) {
      this.#leaveOut(lines.length, error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes from `lines` what the file has room for; makes room where it has none. */
  async #appendToFile(lines: Buffer[]): Promise<void> {
    await using file = await open(this.#path, "a+", 0o600);
    const size = await wholeSizeOf(file);
    const count = countThatFits(lines, this.#mostInFile - size);
    if (count === 0) {
      await rename(this.#path, `${this.#path}.1`);
      return;
    }
    await file.appendFile(Buffer.concat(lines.slice(0, count)));
    lines.splice(0, count);
  }

  #leaveOut(frames: number, reason: string): void {
    const { logger, metrics, clock } = this.#deps;
    metrics.hintFramesUnrecorded.inc(frames);
    this.#leftOut += frames;
    const now = clock.elapsed();
    if (now - this.#saidMs < REMIND_EVERY_MS) return;
    this.#saidMs = now;
    const facts = { path: this.#path, leftOut: this.#leftOut };
    logger.warn(facts, `cannot record a frame of the event stream, goes on without: ${reason}`);
  }
}

function countThatFits(lines: readonly Buffer[], room: number): number {
  let bytes = 0;
  const tooMuch = lines.findIndex(({ length }) => (bytes += length) > room);
  return tooMuch === -1 ? lines.length : tooMuch;
}

/** Size of the file; ends the line at its end, where it was never written whole. */
async function wholeSizeOf(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  if (size === 0) return 0;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer.equals(NEWLINE)) return size;
  await file.appendFile(NEWLINE);
  return size + NEWLINE.length;
}
