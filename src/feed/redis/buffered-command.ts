import type { Writable } from "node:stream";
import { Command } from "ioredis";

const PIECE_BYTES = 128 * 1024;
/** `$<length>` and both line ends. */
const AROUND_ARGUMENT_BYTES = 32;

/**
 * A command with many or long arguments, which ioredis would join into one text first. It goes out in pieces, so that
 * Redis reads the first while the last are made. Not for pipelines, in which ioredis collects commands before it sends.
 */
export class BufferedCommand extends Command {
  override toWritable(socket: Writable): Buffer {
    let piece = Buffer.allocUnsafe(PIECE_BYTES);
    let end = piece.write(`*${this.args.length + 1}\r\n$${this.name.length}\r\n${this.name}\r\n`, "latin1");
    for (const argument of this.args) {
      const value = Buffer.isBuffer(argument) ? argument : String(argument);
      const length = Buffer.byteLength(value);
      if (end + length + AROUND_ARGUMENT_BYTES > piece.length) {
        socket.write(piece.subarray(0, end));
        piece = Buffer.allocUnsafe(Math.max(PIECE_BYTES, length + AROUND_ARGUMENT_BYTES));
        end = 0;
      }
      end += piece.write(`$${length}\r\n`, end, "latin1");
      end += typeof value === "string" ? piece.write(value, end) : value.copy(piece, end);
      end += piece.write("\r\n", end, "latin1");
    }
    return piece.subarray(0, end);
  }
}
