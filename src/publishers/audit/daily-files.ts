import { mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder, unlessThere } from "./disk.ts";
import { HEADER_BYTES, isWhole, readHeader, writeMember, type Member } from "./gzip-member.ts";
import { Lines } from "./lines.ts";

const FOLDER = "daily";
const FILE = /^(\d{4}-\d\d-\d\d)\.jsonl\.gz$/;
const OWNER_ONLY = 0o600;
const OWNERS_FOLDER = 0o700;

/** How far the files have come. */
interface Reached {
  /** "2026-11-29", of the newest file; empty where there is none. */
  readonly day: string;
  /** Index of the first entry that they do not have. */
  readonly next: number;
}

/**
 * A trail's entries as lines, a gzip file a day, for people with zgrep: beside the tree, which alone is the truth. A day
 * is one in UTC, by when the feed recorded the event. All files in order have all entries in order. What was not written
 * whole, or is not of the tree, is cut off, and written anew from the tree. Not for concurrent calls.
 */
export class DailyFiles {
  readonly #folder: string;
  readonly #lines = new Lines();
  #reached: Reached;

  private constructor(folder: string, reached: Reached) {
    this.#folder = folder;
    this.#reached = reached;
  }

  /** `size`: entries of the tree, `first`: the first that was not pruned. `onRepair` hears of each file that was cut off. */
  static async open(
    directory: string,
    { first, size }: { readonly first: number; readonly size: number },
    onRepair: (path: string, bytes: number) => void,
  ): Promise<DailyFiles> {
    const folder = join(directory, FOLDER);
    await mkdir(folder, { mode: OWNERS_FOLDER }).catch(unlessThere);
    await syncFolder(directory);
    const days = (await readdir(folder)).flatMap((name) => FILE.exec(name)?.[1] ?? []).toSorted();
    for (const day of days.toReversed()) {
      const next = await repaired(join(folder, `${day}.jsonl.gz`), size, onRepair);
      if (next !== undefined) return new DailyFiles(folder, { day, next });
    }
    return new DailyFiles(folder, { day: "", next: first });
  }

  /** Index of the first entry that they do not have. */
  get next(): number {
    return this.#reached.next;
  }

  /** Adds the entries from index `next` on: those are on the disk then. */
  async add(entries: readonly string[]): Promise<void> {
    const days = this.#daysOf(entries);
    for (let from = 0; from < entries.length;) {
      const day = days[from] ?? "";
      const to = days.lastIndexOf(day) + 1;
      await this.#append(day, entries.slice(from, to));
      from = to;
    }
  }

  /** No day is before the one of an entry before. Of an entry that tells of none, that one, or the next one's. */
  #daysOf(entries: readonly string[]): string[] {
    let last = "";
    const told = entries.map((entry) => {
      const day = dayOf(entry, last);
      last = day || last;
      return day;
    });
    let day = this.#reached.day || (told.find((each) => each !== "") ?? UNKNOWN_DAY);
    return told.map((each) => (day = each > day ? each : day));
  }

  async #append(day: string, entries: readonly string[]): Promise<void> {
    const { next } = this.#reached;
    const member = await writeMember(next, entries.length, this.#lines.of(entries));
    await using handle = await open(join(this.#folder, `${day}.jsonl.gz`), "a", OWNER_ONLY);
    await handle.appendFile(member);
    await handle.datasync();
    if (day !== this.#reached.day) await syncFolder(this.#folder);
    this.#reached = { day, next: next + entries.length };
  }
}

const UNKNOWN_DAY = "0000-00-00";
const RECORDED = '"recordedtime":"';
const DAY_LENGTH = 10;

/** In UTC, of when the feed recorded an event, which is most often `guess`; empty of what is no event. */
function dayOf(entry: string, guess: string): string {
  const at = entry.indexOf(RECORDED);
  if (at === -1) return "";
  const start = at + RECORDED.length;
  if (guess !== "" && entry.startsWith(guess, start)) return guess;
  const day = entry.slice(start, start + DAY_LENGTH);
  return /^\d{4}-\d\d-\d\d$/.test(day) ? day : "";
}

/** Cuts off what is not whole or not of the tree. Index after its last entry; a file without any is removed. */
async function repaired(
  path: string,
  size: number,
  onRepair: (path: string, bytes: number) => void,
): Promise<number | undefined> {
  await using handle = await open(path, "r+");
  const { size: bytes } = await handle.stat();
  const { end, next } = await lastWhole(handle, { bytes, size });
  if (end < bytes) {
    onRepair(path, bytes - end);
    await handle.truncate(end);
    await handle.sync();
  }
  if (next === undefined) await rm(path);
  return next;
}

/** Where the last member ends that can stay, and the index after its last entry. */
async function lastWhole(
  handle: FileHandle,
  { bytes, size }: { bytes: number; size: number },
): Promise<{ end: number; next: number | undefined }> {
  const members = await membersOf(handle, { bytes, size });
  for (let last = members.pop(); last !== undefined; last = members.pop()) {
    const { buffer } = await handle.read(Buffer.alloc(last.bytes), 0, last.bytes, last.start);
    if (await isWhole(buffer)) return { end: last.start + last.bytes, next: last.to };
  }
  return { end: 0, next: undefined };
}

interface Placed extends Member {
  /** Where in the file. */
  readonly start: number;
}

/** As far as one leads to the next, none reaches beyond the file, and none beyond the tree. */
async function membersOf(
  handle: FileHandle,
  { bytes, size }: { bytes: number; size: number },
): Promise<Placed[]> {
  const members: Placed[] = [];
  const header = Buffer.alloc(HEADER_BYTES);
  for (let start = 0; start + HEADER_BYTES <= bytes;) {
    await handle.read(header, 0, HEADER_BYTES, start);
    const member = readHeader(header);
    const isNext = member !== undefined && member.from === (members.at(-1)?.to ?? member.from);
    if (!isNext || start + member.bytes > bytes || member.to > size) break;
    members.push({ ...member, start });
    start += member.bytes;
  }
  return members;
}
