import type { Frame, Sink } from "../../src/publishers/connection/sink.ts";

/** A connection whose other side takes what was written when the test says so. Holds what it got, frame by frame. */
export class FakeSink implements Sink {
  readonly format = "ndjson";
  readonly encode = line;
  /** JSON of each frame that was taken. */
  readonly taken: string[] = [];
  ended: { closeCode: number; reason: string } | undefined;
  /** The most that was ever written and not taken. */
  mostBytesAhead = 0;
  #ahead: Buffer[] = [];
  #onClear: (() => void) | undefined;
  #isPaused = false;

  write(frames: readonly Frame[]): void {
    this.writeEncoded(frames.map(this.encode));
  }

  writeEncoded(chunks: readonly Buffer[]): void {
    if (this.ended !== undefined) throw new Error("written to after its end");
    this.#ahead.push(...chunks);
    if (!this.#isPaused) return this.#take();
    const bytes = this.#ahead.reduce((sum, { length }) => sum + length, 0);
    this.mostBytesAhead = Math.max(this.mostBytesAhead, bytes);
  }

  get isClear(): boolean {
    return this.#ahead.length === 0;
  }

  whenClear(onClear: () => void): void {
    this.#onClear = onClear;
  }

  end(closeCode: number, reason: string): void {
    this.ended = { closeCode, reason };
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#take();
    const onClear = this.#onClear;
    this.#onClear = undefined;
    onClear?.();
  }

  #take(): void {
    const text = Buffer.concat(this.#ahead).toString();
    this.#ahead = [];
    this.taken.push(...text.split("\n").slice(0, -1));
  }
}

function line({ json }: Frame): Buffer {
  return Buffer.from(`${json}\n`);
}
