import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { Drain } from "../connection/drain.ts";
import type { Frame } from "../connection/sink.ts";

const FINAL_TEXT = 0x81;
const LENGTH_IN_16_BITS = 126;
const LENGTH_IN_64_BITS = 127;

/** A whole, unmasked text message as a server sends it (RFC 6455, section 5.2): the bytes `ws` would write. */
export function textFrame({ json }: Frame): Buffer {
  const length = Buffer.byteLength(json);
  const header = headerOf(length);
  const frame = Buffer.allocUnsafe(header.length + length);
  frame.set(header);
  frame.write(json, header.length);
  return frame;
}

function headerOf(length: number): Buffer {
  if (length < LENGTH_IN_16_BITS) return Buffer.from([FINAL_TEXT, length]);
  if (length < 65_536) {
    const header = Buffer.from([FINAL_TEXT, LENGTH_IN_16_BITS, 0, 0]);
    header.writeUInt16BE(length, 2);
    return header;
  }
  const header = Buffer.alloc(10);
  header.set([FINAL_TEXT, LENGTH_IN_64_BITS]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/**
 * Writes frames past `ws`, onto its socket: it has no way to send a frame that was made once for all. That holds as
 * long as `ws` hands every frame to the socket whole and at once, which it does unless it compresses; what it holds
 * back shows in `bufferedAmount`, and then nothing may be written past it.
 */
export class PreparedFrames {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  /** @throws Error where `ws` holds back a message that would come out of order. */
  write(chunks: readonly Buffer[], drain: Drain): void {
    if (this.#webSocket.bufferedAmount > this.#socket.writableLength) {
      throw new Error("a frame would overtake a message that ws holds back");
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk, drain.begin());
    this.#socket.uncork();
  }
}
