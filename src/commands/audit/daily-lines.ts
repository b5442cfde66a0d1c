import type { DailyPart, LineBytes } from "./daily-part.ts";
import type { TrailFiles } from "./trail-files.ts";

/** Lines that are not the entries. */
export interface DailyDamage {
  readonly path: string;
  readonly what: string;
  /** Of the first entry that is another there. */
  readonly index?: number;
}

const LINE_END = Buffer.from("\n");

/**
 * Compares the daily files, one after another, with the entries in order. They may end early: a writer adds to them
 * after it signed.
 */
export class DailyLines {
  readonly #parts: AsyncIterator<DailyPart> | undefined;
  /** Unpacked, and not yet compared. */
  #unread: LineBytes[] = [];
  #hasEnded: boolean;
  #damage: DailyDamage | undefined;
  #entries: number | undefined;

  constructor(files: TrailFiles) {
    this.#parts = files.dailyParts?.()[Symbol.asyncIterator]();
    this.#hasEnded = this.#parts === undefined;
  }

  get damage(): DailyDamage | undefined {
    return this.#damage;
  }

  /** How many entries they have, as far as they were looked at; undefined where there are no such files. */
  get entries(): number | undefined {
    return this.#entries;
  }

  async take(entries: readonly Buffer[]): Promise<void> {
    if (this.#hasEnded) return;
    const lines = Buffer.concat(entries.flatMap((entry) => [entry, LINE_END]));
    const there = await this.#read(lines.length);
    const same = sameBytes(there, lines);
    const first = this.#entries ?? 0;
    const index = first + countLines(there.subarray(0, same));
    if (there.length > 0) this.#entries = index;
    if (same < there.length)
      this.#fail({ path: this.#pathAt(same), what: `has other text for entry ${index}`, index });
    this.#skip(lines.length);
    if (there.length < lines.length) this.#hasEnded = true;
  }

  async end(): Promise<void> {
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
    const rest = this.#unread.at(-1);
    const left = lengthOf(this.#unread) - count;
    // No more than the last part is left: reading stops once there is enough.
    this.#unread = rest === undefined || left <= 0 ? [] : [{ ...rest, bytes: rest.bytes.subarray(-left) }];
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
