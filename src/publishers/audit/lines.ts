import { MAX_UNIT_BYTES } from "../../shared/utf8.ts";

const LINE_END = 0x0a;

/** Texts as lines of bytes, in a memory that is used again: what was given stays as it is until the next are asked for. */
export class Lines {
  #memory = Buffer.alloc(0);

  of(texts: readonly string[]): Buffer {
    this.#reserve(texts.reduce((sum, text) => sum + text.length * MAX_UNIT_BYTES + 1, 0));
    let end = 0;
    for (const text of texts) {
      end += this.#memory.write(text, end);
      end = this.#memory.writeUInt8(LINE_END, end);
    }
    return this.#memory.subarray(0, end);
  }

  #reserve(bytes: number): void {
    if (bytes > this.#memory.length) this.#memory = Buffer.allocUnsafeSlow(bytes);
  }
}
