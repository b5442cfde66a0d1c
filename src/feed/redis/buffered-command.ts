import { Command } from "ioredis";

/** Shorter arguments are gathered, for many small writes cost more than one. */
const SHORT_BYTES = 512;

/** A command with many or long arguments, written into one buffer: ioredis would join them into one text first. */
export class BufferedCommand extends Command {
  override toWritable(): Buffer {
    const parts: (string | Buffer)[] = [];
    let gathered = `*${this.args.length + 1}\r\n$${this.name.length}\r\n${this.name}\r\n`;
    let bytes = 0;
    for (const argument of this.args) {
      const value = Buffer.isBuffer(argument) ? argument : String(argument);
      const length = Buffer.byteLength(value);
      gathered += `$${length}\r\n`;
      if (typeof value === "string" && length < SHORT_BYTES) gathered += `${value}\r\n`;
      else {
        parts.push(gathered, value);
        bytes += Buffer.byteLength(gathered) + length;
        gathered = "\r\n";
      }
    }
    parts.push(gathered);
    return joined(parts, bytes + Buffer.byteLength(gathered));
  }
}

function joined(parts: readonly (string | Buffer)[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafe(bytes);
  let end = 0;
  for (const part of parts) {
    end += typeof part === "string" ? whole.write(part, end) : part.copy(whole, end);
  }
  return whole;
}
