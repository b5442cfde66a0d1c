/** A line without its end; of one that was too large to be kept, its size. */
export type Line = Buffer | { readonly bytes: number };

const NEWLINE = 0x0a;

/**
 * Takes bytes that were cut anywhere apart into lines. Of a line that is larger than allowed nothing is kept but its
 * size, so that whoever reads can go on behind it.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk, without their ends. */
  *push(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, to));
      from = to + 1;
      yield this.#take();
    }
    this.#keep(chunk.subarray(from));
  }

  /** What came after the last end of a line. */
  rest(): Line {
    return this.#take();
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  #take(): Line {
    const [pieces, length] = [this.#pieces, this.#length];
    this.#pieces = [];
    this.#length = 0;
    if (length > this.#maxBytes) return { bytes: length };
    // A copy, so that one small line does not hold the whole chunk it came in.
    return Buffer.concat(pieces, length);
  }
}
