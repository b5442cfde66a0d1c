import type { Format } from "../schemas/subscription-schema.ts";

export type StreamFormat = Exclude<Format, "page">;

/** One CloudEvent on its way to a subscriber. */
export interface Frame {
  readonly json: string;
  /** Where a subscriber that has dealt with this frame goes on; undefined where the frame does not say. */
  readonly cursor: string | undefined;
  /** Set for frames that belong to the connection and are not in the log. */
  readonly connectionType?: string;
}

/** One subscriber's connection, as the loop that feeds it sees it. It holds no queue but the socket's own. */
export interface Sink {
  readonly format: StreamFormat;
  /** Writes frames in one go, without waiting. Nothing happens once the connection is gone. */
  write(frames: readonly Frame[]): void;
  /** True once the socket takes more; false when it did not within `timeoutMs` or `signal` aborted. */
  drained(options: { timeoutMs: number; signal: AbortSignal }): Promise<boolean>;
  /** Ends the connection after what was written. The code matters to WebSocket only. */
  end(closeCode: number, reason: string): void;
}
