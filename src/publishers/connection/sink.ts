import type { Format } from "../../schemas/subscription-schema.ts";

export type StreamFormat = Exclude<Format, "page">;

/** One CloudEvent on its way to a subscriber. */
export interface Frame {
  readonly json: string;
  /** Where a subscriber that has dealt with this frame goes on; undefined where the frame does not say. */
  readonly cursor: string | undefined;
  /** Set for frames that belong to the connection and are not in the log. */
  readonly connectionType?: string;
}

/**
 * The bytes of a frame on the wire. One function per form, the same for all connections: by it, bytes that were
 * made once are found again.
 */
export type Encode = (frame: Frame) => Buffer;

/** One subscriber's connection, as the loop that feeds it sees it. It holds no queue but the socket's own. */
export interface Sink {
  readonly format: StreamFormat;
  readonly encode: Encode;
  /** Writes frames of the connection in one go, without waiting. Nothing happens once the connection is gone. */
  write(frames: readonly Frame[]): void;
  /** Writes bytes that `encode` made, in one go, where the connection is clear. */
  writeEncoded(chunks: readonly Buffer[]): void;
  /** Whether the connection has taken all that was written to it. */
  readonly isClear: boolean;
  /** Calls back once: when the connection is clear. Perhaps not where it is gone. */
  whenClear(onClear: () => void): void;
  /** Ends the connection after what was written. The code matters to WebSocket only. */
  end(closeCode: number, reason: string): void;
}
