import type { Element } from "./element-scan.ts";

/**
 * Where the elements of a body are: one row of 32-bit numbers each, so that 50,000 of them take 1.2 MB and a run of
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

  checksum(row: number): number {
    return this.#cells[row * WIDTH + CHECKSUM] as number;
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
    cells[at + CHECKSUM] = element.checksum;
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
const CHECKSUM = 5;
const WIDTH = 6;
