import type { ServerResponse } from "node:http";
import type { Clock } from "../../shared/clock.ts";
import { Drain } from "./drain.ts";
import type { Encode, Frame, Sink, StreamFormat } from "./sink.ts";

/** A reader that has stopped reading does not get to hold its connection open longer than this. */
const END_TIMEOUT_MS = 10_000;

/** A subscriber on an HTTP response that stays open. Each batch is one chunk. */
export abstract class HttpSink implements Sink {
  readonly format: StreamFormat;
  readonly encode: Encode;
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #drain = new Drain();

  constructor(
    response: ServerResponse,
    {
      format,
      contentType,
      encode,
      clock,
    }: { format: StreamFormat; contentType: string; encode: Encode; clock: Clock },
  ) {
    this.format = format;
    this.encode = encode;
    this.#response = response;
    this.#clock = clock;
    response.writeHead(200, {
      "content-type": contentType,
      "cache-control": "no-store",
      // Asks nginx not to hold events back.
      "x-accel-buffering": "no",
      connection: "close",
    });
  }

  write(frames: readonly Frame[]): void {
    this.writeEncoded(frames.map(this.encode));
  }

  writeEncoded(chunks: readonly Buffer[]): void {
    const response = this.#response;
    if (!response.writable) return;
    response.cork();
    for (const chunk of chunks) response.write(chunk, this.#drain.begin());
    response.uncork();
  }

  /** For what may be left out where the reader is behind anyway. */
  protected writeIfIdle(text: string): void {
    if (this.#response.writable && this.#response.writableLength === 0) this.#response.write(text);
  }

  get isClear(): boolean {
    return this.#drain.isClear;
  }

  whenClear(onClear: () => void): void {
    this.#drain.whenClear(onClear);
  }

  end(): void {
    const response = this.#response;
    response.once(
      "close",
      this.#clock.after(END_TIMEOUT_MS, () => response.destroy()),
    );
    response.end();
  }
}
