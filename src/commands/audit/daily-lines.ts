import type { DailyPart, LineBytes } from "./daily-part.ts";
import { leafHash } from "../../tlog/hash.ts";
import type { TrailFiles } from "./trail-files.ts";

/** Lines that are not the entries. */
export interface DailyDamage {
  readonly path: string;
  readonly what: string;
  /** Of the first entry that is another there. */
  readonly index?: number;
}

const LINE_END = Buffer.from("\n");
/** Most lines are shorter. */
const LINE_BYTES = 4096;

/**
 * Compares the daily files, one after another, with the entries in order. They may end early: a writer adds to them
 * after it signed.
 */
export class DailyLines {
  readonly #files: TrailFiles;
  readonly #parts: AsyncIterator<DailyPart> | undefined;
  /** Unpacked, and not yet compared. */
  #unread: LineBytes[] = [];
  #hasEnded: boolean;
  #damage: DailyDamage | undefined;
  #entries: number | undefined;
  #goesOn = false;
  /** Index of the entry that their first line is. */
  #start: number | undefined;

  constructor(files: TrailFiles) {
    this.#files = files;
    this.#parts = files.dailyParts?.()[Symbol.asyncIterator]();
    this.#hasEnded = this.#parts === undefined;
  }

  get damage(): DailyDamage | undefined {
    return this.#damage;
  }

  /** Index after the last entry that they have, as far as they were looked at; undefined where there are no such files. */
  get entries(): number | undefined {
    return this.#entries;
  }

  /** Whether there is more behind the last entry, with which nothing was compared. Known once it has ended. */
  get goesOn(): boolean {
    return this.#goesOn;
  }

  /** Entries that were pruned: the lines of some may be there still, and hash to the leaves then. */
  async takePruned(first: number, leaves: readonly Buffer[]): Promise<void> {
    this.#start ??= (await this.#files.dailyStart?.()) ?? 0;
    for (let at = Math.max(0, this.#start - first); at < leaves.length && !this.#hasEnded; at++)
      await this.#takeLine(first + at, leaves[at]);
  }

  async #takeLine(index: number, leaf: Buffer | undefined): Promise<void> {
    const line = await this.#readLine();
    const path = this.#pathAt(0);
    if (line === undefined) this.#hasEnded = true;
    else if (leaf?.equals(leafHash(line)) === true) this.#entries = index + 1;
    else this.#fail({ path, what: `has other text for entry ${index}`, index });
    if (line !== undefined) this.#skip(line.length + LINE_END.length);
  }

  /** Undefined where no whole one is left. What was read stays to be skipped. */
  async #readLine(): Promise<Buffer | undefined> {
    for (let wanted = LINE_BYTES; ; wanted *= 2) {
      const there = await this.#read(wanted);
      const end = there.indexOf(LINE_END);
      if (end >= 0) return there.subarray(0, end);
      if (there.length < wanted) return undefined;
    }
  }

  /** The next entries, from index `first` on. */
  async take(first: number, entries: readonly Buffer[]): Promise<void> {
    if (this.#hasEnded) return;
    const lines = Buffer.concat(entries.flatMap((entry) => [entry, LINE_END]));
    const there = await this.#read(lines.length);
    const same = sameBytes(there, lines);
    const index = first + countLines(there.subarray(0, same));
    if (there.length > 0) this.#entries = index;
    if (same < there.length)
      this.#fail({ path: this.#pathAt(same), what: `has other text for entry ${index}`, index });
    this.#skip(lines.length);
    if (there.length < lines.length) this.#hasEnded = true;
  }

  async end(): Promise<void> {
    this.#goesOn = !this.#hasEnded && (await this.#read(1)).length > 0;
    await this.#parts?.return?.();
  }

  /** So many bytes, or all that are left. */
  async #read(wanted: number): Promise<Buffer> {
    for (let length = lengthOf(this.#unread); length < wanted; length = lengthOf(this.#unread)) {
      const part = await this.#parts?.next();
      if (part === undefined || part.done === true) break;
      if ("damage" in part.value) {
        this.#fail({ path: part.value.path, what: part.value.damage });
        break;
      }
      this.#unread.push(part.value);
    }
    return Buffer.concat(this.#unread.map(({ bytes }) => bytes)).subarray(0, wanted);
  }

  #skip(count: number): void {
    let left = count;
    this.#unread = this.#unread.flatMap(({ path, bytes }) => {
      const rest = bytes.subarray(left);
      left -= bytes.length - rest.length;
      return rest.length === 0 ? [] : [{ path, bytes: rest }];
    });
  }

  #pathAt(offset: number): string {
    let end = 0;
    return this.#unread.find(({ bytes }) => (end += bytes.length) > offset)?.path ?? "";
  }

  #fail(damage: DailyDamage): void {
    this.#damage ??= damage;
    this.#hasEnded = true;
  }
}

function lengthOf(parts: readonly LineBytes[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function sameBytes(one: Buffer, other: Buffer): number {
  if (one.equals(other.subarray(0, one.length))) return one.length;
  return one.findIndex((byte, at) => byte !== other[at]);
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_END); at >= 0; at = bytes.indexOf(LINE_END, at + 1)) count++;
  return count;
}
