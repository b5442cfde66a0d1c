import type { Element } from "./element-scan.ts";

/**
 * Where the elements of a body are: one row of 32-bit numbers each, so that 50,000 of them take 1.6 MB and a run of
 * rows is carried to the next snapshot as one copy.
 */
export class Rows {
  #cells: Uint32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#cells = new Uint32Array(Math.max(16, capacity) * WIDTH);
  }

  get count(): number {
    return this.#count;
  }

  /** Offset of the element's first byte in the body. */
  start(row: number): number {
    return this.#cells[row * WIDTH] as number;
  }

  length(row: number): number {
    return this.#cells[row * WIDTH + LENGTH] as number;
  }

  end(row: number): number {
    return this.start(row) + this.length(row);
  }

  /** Offset in the body of the key's text. */
  keyAt(row: number): number {
    return this.start(row) + (this.#cells[row * WIDTH + KEY] as number);
  }

  namespaceAt(row: number): number {
    return this.start(row) + (this.#cells[row * WIDTH + NAMESPACE] as number);
  }

  /** Hash of namespace and key. */
  identity(row: number): number {
    return this.#cells[row * WIDTH + IDENTITY] as number;
  }

  /** Whether the element has these checksums. */
  isAlike(row: number, { checksumLow, checksumHigh }: Element): boolean {
    const at = row * WIDTH;
    return this.#cells[at + CHECKSUM_LOW] === checksumLow && this.#cells[at + CHECKSUM_HIGH] === checksumHigh;
  }

  /** Whether it is known that no object of the element has a name twice. */
  hasDistinctNames(row: number): boolean {
    return this.#cells[row * WIDTH + DISTINCT] === 1;
  }

  noteDistinctNames(row: number): void {
    this.#cells[row * WIDTH + DISTINCT] = 1;
  }

  add(element: Element): void {
    this.#reserve(1);
    const at = this.#count++ * WIDTH;
    const cells = this.#cells;
    cells[at] = element.start;
    cells[at + LENGTH] = element.end - element.start;
    cells[at + KEY] = element.keyAt - element.start;
    cells[at + NAMESPACE] = element.namespaceAt - element.start;
    cells[at + IDENTITY] = element.identity;
    cells[at + CHECKSUM_LOW] = element.checksumLow;
    cells[at + CHECKSUM_HIGH] = element.checksumHigh;
  }

  /** Adds rows [from, to) of another body, whose elements stand here `shift` bytes further on. */
  addRun(source: Rows, from: number, to: number, shift: number): void {
    this.#reserve(to - from);
    this.#cells.set(source.#cells.subarray(from * WIDTH, to * WIDTH), this.#count * WIDTH);
    const end = (this.#count += to - from);
    if (shift === 0) return;
    const cells = this.#cells;
    for (let at = (end - (to - from)) * WIDTH; at < end * WIDTH; at += WIDTH)
      cells[at] = (cells[at] as number) + shift;
  }

  #reserve(rows: number): void {
    const needed = (this.#count + rows) * WIDTH;
    if (needed <= this.#cells.length) return;
    const larger = new Uint32Array(Math.max(needed, this.#cells.length * 2));
    larger.set(this.#cells);
    this.#cells = larger;
  }
}

const LENGTH = 1;
const KEY = 2;
const NAMESPACE = 3;
const IDENTITY = 4;
const CHECKSUM_LOW = 5;
const CHECKSUM_HIGH = 6;
const DISTINCT = 7;
const WIDTH = 8;
