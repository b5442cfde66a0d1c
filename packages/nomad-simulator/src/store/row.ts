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

  /** The stub's JSON with its maps sorted: the same text for the same state. */
  get text(): string {
    this.#text ??= piecesText(this.#encoded());
    return this.#text;
  }

  #encoded(): Piece[] {
    this.#pieces ??= encodeStub(this.table, this.stub);
    return this.#pieces;
  }
}
