import { connect, type Socket } from "node:net";

/**
 * The receiving side of the fan-out rows, in a process of its own: raw sockets that upgrade, and then count frames
 * without looking into them.
 */
export type ToReceiver =
  | {
      readonly ask: "open";
      readonly port: number;
      readonly path: string;
      readonly sockets: number;
      readonly stalled: boolean;
    }
  | { readonly ask: "count"; readonly frames: number }
  | { readonly ask: "close" };
export type FromReceiver =
  | { readonly answer: "ready" }
  /** When each socket had its last frame, ms since 1970. */
  | { readonly answer: "counted"; readonly atMs: readonly number[] };

const READ_BYTES = 256 * 1024;

/** Counts whole frames in a stream of unmasked ones. */
class FrameCounter {
  frames = 0;
  /** Bytes of the frame under way that are still to come. */
  #missing = 0;
  #header = Buffer.alloc(0);

  take(bytes: Buffer): void {
    let at = Math.min(this.#missing, bytes.length);
    this.#missing -= at;
    while (at < bytes.length) {
      const view =
        this.#header.length > 0 ? Buffer.concat([this.#header, bytes.subarray(at)]) : bytes.subarray(at);
      const size = frameSize(view);
      if (size === undefined) {
        this.#header = Buffer.from(view);
        return;
      }
      const taken = Math.min(size, view.length);
      this.frames += 1;
      at += taken - this.#header.length;
      this.#header = Buffer.alloc(0);
      this.#missing = size - taken;
    }
  }
}

/** Header and payload; undefined where the header is not whole. */
function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const length = (bytes[1] ?? 0) & 0x7f;
  if (length < 126) return 2 + length;
  if (length === 126) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2);
  return bytes.length < 10 ? undefined : 10 + Number(bytes.readBigUInt64BE(2));
}

const sockets: { readonly socket: Socket; readonly counter: FrameCounter; readonly stalled: boolean }[] = [];
let awaited = Number.POSITIVE_INFINITY;
let missing = 0;
let atMs: number[] = [];

function tell(message: FromReceiver): void {
  process.send?.(message);
}

/** Notes each socket that has all it is to get, and tells when it was the last. */
function note(counter: FrameCounter, before: number): void {
  if (before >= awaited || counter.frames < awaited) return;
  atMs.push(performance.timeOrigin + performance.now());
  missing -= 1;
  if (missing === 0) tell({ answer: "counted", atMs });
}

/** Resolves when the hello frame is there. */
function open(port: number, path: string, stalled: boolean): Promise<void> {
  const opened = Promise.withResolvers<void>();
  const counter = new FrameCounter();
  let isUpgraded = false;
  let head = Buffer.alloc(0);
  const socket = connect({
    host: "127.0.0.1",
    port,
    onread: {
      buffer: Buffer.allocUnsafeSlow(stalled ? 4096 : READ_BYTES),
      callback: (length, buffer) => {
        let bytes = Buffer.from(buffer.buffer, buffer.byteOffset, length);
        if (!isUpgraded) {
          head = Buffer.concat([head, bytes]);
          const end = head.indexOf("\r\n\r\n");
          if (end < 0) return true;
          isUpgraded = true;
          bytes = head.subarray(end + 4);
        }
        const before = counter.frames;
        counter.take(bytes);
        if (before === 0 && counter.frames > 0) {
          opened.resolve();
          if (stalled) return false;
        }
        note(counter, before);
        return true;
      },
    },
  });
  sockets.push({ socket, counter, stalled });
  socket.on("error", opened.reject);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  return opened.promise;
}

async function obey(message: ToReceiver): Promise<void> {
  if (message.ask === "open") {
    for (let opened = 0; opened < message.sockets; opened += 50) {
      const several = Math.min(50, message.sockets - opened);
      await Promise.all(
        Array.from({ length: several }, () => open(message.port, message.path, message.stalled)),
      );
    }
    tell({ answer: "ready" });
  } else if (message.ask === "count") {
    atMs = [];
    const counting = sockets.filter(({ stalled }) => !stalled);
    missing = Math.max(1, counting.length);
    for (const { counter } of counting) counter.frames = 0;
    awaited = message.frames;
    tell({ answer: "ready" });
  } else {
    for (const { socket } of sockets) socket.destroy();
    process.disconnect();
  }
}

process.on("message", (message: ToReceiver) => void obey(message));
process.once("disconnect", () => process.exit());
