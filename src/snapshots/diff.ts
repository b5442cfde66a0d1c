import type { Change, Stub } from "../schemas/change.ts";
import { equalJson } from "../schemas/json.ts";
import type { Element } from "./element-scan.ts";
import { MalformedList } from "./errors.ts";
import { ListReader, type ListOrigin } from "./list-reader.ts";
import { RawList, refFrom, stubOf } from "./raw-list.ts";
import { Rows } from "./rows.ts";

export interface SliceOptions extends ListOrigin {
  /** Work between two yields, bytes: those read one by one count in full, those only compared a sixteenth. */
  readonly sliceBytes?: number;
}

export interface DiffStats {
  /** Objects in the new list. */
  readonly elements: number;
  /** Bytes of objects found the same by comparing memory. */
  readonly skippedBytes: number;
  /** Objects that had to be parsed. */
  readonly parsed: number;
  /** Objects whose bytes differed by no more than the order of members, told without parsing. */
  readonly cleared: number;
}

export interface ListDiffResult {
  /** Holds the new body, and nothing of the old one. */
  readonly list: RawList;
  /** In the order of the new list, deletes last. Stubs are copies: keeping one does not keep the list. */
  readonly changes: Change[];
  readonly stats: DiffStats;
}

export const DEFAULT_SLICE_BYTES = 1024 * 1024;
/** What a byte costs, in bytes read one by one. */
const COMPARING_COSTS = 1 / 16;
export const PARSING_COSTS = 16;
/** A run is compared this many elements at a time: large enough for memcmp's full speed, small enough for a cache. */
const MAX_STEP = 64;
const MAX_RUN = 4096;

/**
 * One walk over a new list beside the previous one. The list's order is stable as a rule, so next to the element
 * expected from the previous list stands mostly the same one, byte for byte: runs of those are found by comparing
 * memory. An element that differs is read to its end; if it is not the expected object, the previous version is
 * looked up, and the walk goes on beside that one.
 */
export class ListDiff {
  readonly #previous: RawList;
  readonly #body: Buffer;
  readonly #reader: ListReader;
  readonly #sliceBytes: number;
  readonly #rows: Rows;
  /** Which of the previous elements were met again. */
  readonly #met: Uint8Array;
  readonly #changes: Change[] = [];
  #expected = 0;
  #created = false;
  #work = 0;
  #skippedBytes = 0;
  #parsed = 0;
  #cleared = 0;

  constructor(previous: RawList, body: Buffer, options: SliceOptions) {
    this.#previous = previous;
    this.#body = body;
    this.#reader = new ListReader(previous.resource, body, options);
    this.#sliceBytes = options.sliceBytes ?? DEFAULT_SLICE_BYTES;
    this.#rows = new Rows(previous.count + 64);
    this.#met = new Uint8Array(previous.count);
  }

  *run(): Generator<void, ListDiffResult> {
    while (this.#reader.hasElement()) {
      if (!this.#passRun()) this.#passElement();
      if (this.#pauseIsDue()) yield;
    }
    const list = new RawList(this.#previous.resource, this.#body, this.#rows);
    if (this.#created) list.assertDistinct();
    yield* this.#addDeletes();
    const stats = {
      elements: list.count,
      skippedBytes: this.#skippedBytes,
      parsed: this.#parsed,
      cleared: this.#cleared,
    };
    return { list, changes: this.#changes, stats };
  }

  /** Passes the elements that are the same as those expected, byte for byte. False where there is none. */
  #passRun(): boolean {
    const from = this.#expected;
    const to = this.#endOfRun(from);
    if (to === from) return false;
    if (this.#met.subarray(from, to).includes(1)) throw this.#twice();
    this.#met.fill(1, from, to);
    const { rows } = this.#previous;
    const start = rows.start(from);
    const bytes = rows.end(to - 1) - start;
    this.#rows.addRun(rows, from, to, this.#reader.at - start);
    this.#reader.skipTo(this.#reader.at + bytes);
    this.#expected = to;
    this.#skippedBytes += bytes;
    this.#work += bytes * COMPARING_COSTS;
    return true;
  }

  /** Row behind the last of those from `from` on that follow each other here as they do there. */
  #endOfRun(from: number): number {
    const { rows, count } = this.#previous;
    if (from === count) return from;
    const shift = this.#reader.at - rows.start(from);
    const limit = Math.min(count, from + MAX_RUN);
    let end = from;
    let step = 1;
    let growing = true;
    while (step > 0 && end < limit) {
      const to = Math.min(end + step, limit);
      const sameFrom = end === from ? rows.start(from) : rows.end(end - 1);
      if (this.#isSame(sameFrom, rows.end(to - 1), shift)) {
        end = to;
        step = growing ? Math.min(step * 2, MAX_STEP) : step >> 1;
      } else {
        growing = false;
        step >>= 1;
      }
    }
    return end;
  }

  /** Whether the previous body's bytes [start, end) stand in the new one, `shift` further on. */
  #isSame(start: number, end: number, shift: number): boolean {
    if (end + shift > this.#body.length) return false;
    return this.#body.compare(this.#previous.body, start, end, start + shift, end + shift) === 0;
  }

  /** Passes one element that is not what was expected, or not where it was. */
  #passElement(): void {
    const element = this.#reader.readElement();
    this.#work += element.end - element.start;
    this.#rows.add(element);
    const row = this.#previousRow(element);
    if (row < 0) {
      this.#created = true;
      this.#addCreate(element);
      return;
    }
    if (this.#met[row] === 1) throw this.#twice();
    this.#met[row] = 1;
    if (!this.#isUnchanged(row, element)) this.#addUpdate(row, element);
    this.#expected = row + 1;
  }

  #previousRow(element: Element): number {
    const previous = this.#previous;
    const row = this.#expected;
    const isExpected =
      row < previous.count &&
      previous.rows.identity(row) === element.identity &&
      previous.isSameObject(row, this.#body, element);
    return isExpected ? row : previous.rowOf(this.#body, element);
  }

  /** As far as can be told without parsing. */
  #isUnchanged(row: number, element: Element): boolean {
    const { start, end } = element;
    const { rows } = this.#previous;
    if (rows.length(row) !== end - start) return false;
    if (row !== this.#expected && this.#isSame(rows.start(row), rows.end(row), start - rows.start(row))) {
      this.#skippedBytes += end - start;
      return true;
    }
    if (!rows.isAlike(row, element) || !this.#isReliable(row)) return false;
    this.#cleared++;
    return true;
  }

  /**
   * Whether equal checksums of the element read last mean equal JSON: not where a name is in an object twice, since
   * the last one counts. Found out once for each version: what has the same sums has the same names.
   */
  #isReliable(previousRow: number): boolean {
    const known = this.#previous.rows;
    if (!known.hasDistinctNames(previousRow)) {
      if (!this.#reader.hasDistinctNames()) return false;
      known.noteDistinctNames(previousRow);
    }
    this.#rows.noteDistinctNames(this.#rows.count - 1);
    return true;
  }

  #addCreate(element: Element): void {
    const after = this.#stub(this.#body.subarray(element.start, element.end));
    this.#changes.push({ op: "create", ref: refFrom(this.#previous.resource, this.#body, element), after });
  }

  #addUpdate(row: number, element: Element): void {
    const before = this.#stub(this.#previous.bytesAt(row));
    const after = this.#stub(this.#body.subarray(element.start, element.end));
    if (equalJson(before.value, after.value)) return;
    this.#changes.push({
      op: "update",
      ref: refFrom(this.#previous.resource, this.#body, element),
      before,
      after,
    });
  }

  *#addDeletes(): Generator<void, void> {
    for (let row = this.#met.indexOf(0); row >= 0; row = this.#met.indexOf(0, row + 1)) {
      const before = this.#stub(this.#previous.bytesAt(row));
      this.#changes.push({ op: "delete", ref: this.#previous.refAt(row), before });
      if (this.#pauseIsDue()) yield;
    }
  }

  #pauseIsDue(): boolean {
    if (this.#work < this.#sliceBytes) return false;
    this.#work = 0;
    return true;
  }

  /** Counts the work of parsing, and copies the bytes. */
  #stub(view: Buffer): Stub {
    this.#parsed++;
    this.#work += view.length * PARSING_COSTS;
    return stubOf(this.#previous.resource, view);
  }

  #twice(): MalformedList {
    return new MalformedList(this.#previous.resource, `the object at byte ${this.#reader.at} is in it twice`);
  }
}
