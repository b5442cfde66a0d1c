import type { Random } from "./random.ts";

/** A Go value on its way to JSON: objects are structs (members stay in order), Maps are Go maps. */
export type GoValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [field: string]: GoValue };

/**
 * Serialised JSON. Text that is always the same is a Buffer; a map of several keys is kept as its entries,
 * since Go writes those in a new random order every time.
 */
export type Piece = Buffer | readonly Piece[][];

const OPEN = Buffer.from("{");
const CLOSE = Buffer.from("}");
const COMMA = Buffer.from(",");

/** Builds the pieces of one value. */
export class PieceWriter {
  #text = "";
  readonly #pieces: Piece[] = [];

  /** Adds JSON text as it is. */
  raw(text: string): this {
    this.#text += text;
    return this;
  }

  value(value: GoValue): this {
    if (value === null || typeof value === "boolean" || typeof value === "number")
      return this.raw(String(value));
    if (typeof value === "bigint") return this.raw(value.toString());
    if (typeof value === "string") return this.raw(JSON.stringify(value));
    if (value instanceof Map) return this.map(value, (writer, entry: GoValue) => writer.value(entry));
    if (Array.isArray(value)) return this.#array(value as readonly GoValue[]);
    return this.#struct(value as { readonly [field: string]: GoValue });
  }

  map<V>(map: ReadonlyMap<string, V>, write: (writer: PieceWriter, value: V) => unknown): this {
    const entries = [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length < 2) {
      this.raw("{");
      for (const [name, value] of entries) write(this.raw(`${JSON.stringify(name)}:`), value);
      return this.raw("}");
    }
    this.#flush();
    this.#pieces.push(
      entries.map(([name, value]) => {
        const writer = new PieceWriter().raw(`${JSON.stringify(name)}:`);
        write(writer, value);
        return writer.finish();
      }),
    );
    return this;
  }

  finish(): Piece[] {
    this.#flush();
    return this.#pieces;
  }

  #array(items: readonly GoValue[]): this {
    this.raw("[");
    items.forEach((item, position) => {
      if (position > 0) this.raw(",");
      this.value(item);
    });
    return this.raw("]");
  }

  #struct(fields: { readonly [field: string]: GoValue }): this {
    this.raw("{");
    let first = true;
    for (const name of Object.keys(fields)) {
      this.raw(`${first ? "" : ","}"${name}":`).value(fields[name] as GoValue);
      first = false;
    }
    return this.raw("}");
  }

  #flush(): void {
    if (this.#text === "") return;
    this.#pieces.push(Buffer.from(this.#text));
    this.#text = "";
  }
}

/** Appends the bytes of the pieces to `out`; maps in random order, or sorted where no `random` is given. */
export function renderPieces(pieces: readonly Piece[], out: Buffer[], random?: Random): void {
  for (const piece of pieces) {
    if (Buffer.isBuffer(piece)) {
      out.push(piece);
      continue;
    }
    out.push(OPEN);
    const entries = random === undefined ? piece : shuffled(piece, random);
    entries.forEach((entry, position) => {
      if (position > 0) out.push(COMMA);
      renderPieces(entry, out, random);
    });
    out.push(CLOSE);
  }
}

export function piecesText(pieces: readonly Piece[]): string {
  const out: Buffer[] = [];
  renderPieces(pieces, out);
  return Buffer.concat(out).toString();
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last -= 1) {
    const other = random.between(0, last);
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
