import { Command } from "ioredis";

/** A command that goes out as one buffer: for arguments that are many or long, which ioredis joins slowly. */
export class BufferedCommand extends Command {
  override toWritable(): Buffer {
    const args = [this.name, ...this.args].map((argument) =>
      typeof argument === "string" || Buffer.isBuffer(argument) ? argument : String(argument),
    );
    const lengths = args.map((argument) => Buffer.byteLength(argument));
    const heads = lengths.map((length) => `$${length}\r\n`);
    const begin = `*${args.length}\r\n`;
    const total = lengths.reduce(
      (sum, length, n) => sum + length + (heads[n]?.length ?? 0) + 2,
      begin.length,
    );
    const out = Buffer.allocUnsafe(total);
    let at = out.write(begin, 0, "latin1");
    for (const [n, argument] of args.entries()) {
      at += out.write(heads[n] ?? "", at, "latin1");
      at += typeof argument === "string" ? out.write(argument, at, "utf8") : argument.copy(out, at);
      at += out.write("\r\n", at, "latin1");
    }
    return out;
  }
}
