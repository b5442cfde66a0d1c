import { mkdir, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { DayLines } from "./day-lines.ts";
import { syncFolder, unlessThere } from "./disk.ts";
import { HEADER_BYTES, isWhole, readHeader, MemberWriter, type Member } from "./gzip-member.ts";

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
export class DailyFiles implements Disposable {
  readonly #folder: string;
  readonly #members = new MemberWriter();
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

  /** Of the newest file, as "2026-11-29"; empty where there is none. */
  get day(): string {
    return this.#reached.day;
  }

  /** Adds those of the entries from index `next` on: they are on the disk then. Of no day before that of the last. */
  async add({ day, count, bytes }: DayLines): Promise<void> {
    const { next } = this.#reached;
    const member = await this.#members.write(next, count, bytes);
    await using handle = await open(join(this.#folder, `${day}.jsonl.gz`), "a", OWNER_ONLY);
    await handle.appendFile(member);
    await handle.datasync();
    if (day !== this.#reached.day) await syncFolder(this.#folder);
    this.#reached = { day, next: next + count };
  }

  [Symbol.dispose](): void {
    this.#members[Symbol.dispose]();
  }
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
