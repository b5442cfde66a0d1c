import type { ServerResponse } from "node:http";
import { whenDrained } from "./drain.ts";
import type { Frame, Sink, StreamFormat } from "./sink.ts";

/** A reader that has stopped reading does not get to hold its connection open longer than this. */
const END_TIMEOUT_MS = 10_000;

/** A subscriber on an HTTP response that stays open. Each batch is one chunk. */
export abstract class HttpSink implements Sink {
  readonly format: StreamFormat;
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, format: StreamFormat, contentType: string) {
    this.format = format;
    this.#response = response;
    response.writeHead(200, {
      "content-type": contentType,
      "cache-control": "no-store",
      // Asks nginx not to hold events back.
      "x-accel-buffering": "no",
      connection: "close",
    });
  }

  protected abstract encode(frame: Frame): string;

  write(frames: readonly Frame[]): void {
    if (this.#response.writable) this.#response.write(frames.map((frame) => this.encode(frame)).join(""));
  }

  /** For what may be left out where the reader is behind anyway. */
  protected writeIfIdle(text: string): void {
    if (this.#response.writable && this.#response.writableLength === 0) this.#response.write(text);
  }

  drained(options: { timeoutMs: number; signal: AbortSignal }): Promise<boolean> {
    return whenDrained(this.#response, options);
  }

  end(): void {
    const response = this.#response;
    const timer = setTimeout(() => response.destroy(), END_TIMEOUT_MS).unref();
    response.once("close", () => clearTimeout(timer));
    response.end();
  }
}
