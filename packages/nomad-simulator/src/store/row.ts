import { piecesText, renderPieces, type Piece } from "../go-json.ts";
import type { Random } from "../random.ts";
import { encodeStub, type Models, type Stubs, type TableName } from "./tables.ts";

/**
 * One object at one raft index, never changed: a write makes a new row. Its JSON is made when first asked
 * for and kept, so that a list of many unchanged objects costs copying only.
 */
export class Row<T extends TableName = TableName> {
  readonly table: T;
  readonly namespace: string;
  readonly key: string;
  readonly stub: Stubs[T];
  readonly model: Models[T];
  #pieces: Piece[] | undefined;
  #text: string | undefined;
  #bytes: Buffer | undefined;

  constructor(table: T, namespace: string, key: string, stub: Stubs[T], model: Models[T]) {
    this.table = table;
    this.namespace = namespace;
    this.key = key;
    this.stub = stub;
    this.model = model;
  }

  /** Appends the stub's JSON to `out`, its maps in random order as Go writes them. */
  render(out: Buffer[], random: Random): void {
    renderPieces(this.#encoded(), out, random);
  }

  /** The stub's JSON as it was last sent in a long list, or anew. */
  rendered(random: Random, anew: boolean): Buffer {
    if (this.#bytes === undefined || anew) this.#bytes = this.#renderAnew(random);
    return this.#bytes;
  }

  /** The same bytes, where they are kept with others': 100,000 allocations are 300 MB, once is enough. */
  keepIn(bytes: Buffer): void {
    this.#bytes = bytes;
  }

  /** The stub's JSON with its maps sorted: the same text for the same state. */
  get text(): string {
    this.#text ??= piecesText(this.#encoded());
    return this.#text;
  }

  /** The pieces are not kept beside the bytes. */
  #renderAnew(random: Random): Buffer {
    const out: Buffer[] = [];
    this.render(out, random);
    this.#pieces = undefined;
    return Buffer.concat(out);
  }

  #encoded(): Piece[] {
    this.#pieces ??= encodeStub(this.table, this.stub);
    return this.#pieces;
  }
}
