import { createReadStream } from "node:fs";
import { opendir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import type { DailyPart } from "./daily-part.ts";
import { dailyStart } from "./daily-start.ts";
import type { TrailFiles } from "./trail-files.ts";

/** A trail in a directory. */
export class DirectoryFiles implements TrailFiles {
  readonly name: string;

  constructor(directory: string) {
    this.name = directory;
  }

  async read(path: string): Promise<Buffer | undefined> {
    return readFile(join(this.name, path)).catch(unlessMissing);
  }

  tilePaths(): AsyncIterable<string> {
    return filesBelow(this.name, "tile");
  }

  async *dailyParts(): AsyncGenerator<DailyPart> {
    const days = await this.dailyPaths();
    for (const [at, day] of days.entries())
      yield* unpacked(this.name, day, { isLast: at === days.length - 1 });
  }

  async dailyStart(): Promise<number | undefined> {
    const [oldest] = await this.dailyPaths();
    return oldest === undefined ? undefined : dailyStart(join(this.name, oldest));
  }

  /** Oldest first. */
  async dailyPaths(): Promise<string[]> {
    const names = (await readdir(join(this.name, DAILY)).catch(unlessMissing)) ?? [];
    return names
      .filter((name) => name.endsWith(".jsonl.gz"))
      .toSorted()
      .map((name) => `${DAILY}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const DAILY = "daily";

async function* unpacked(
  directory: string,
  path: string,
  { isLast }: { isLast: boolean },
): AsyncGenerator<DailyPart> {
  const lines = createGunzip();
  pipeline(createReadStream(join(directory, path)), lines, () => undefined);
  try {
    for await (const bytes of lines as AsyncIterable<Buffer>) yield { path, bytes };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    // What a killed writer leaves, and cuts off when it starts.
    if (isLast && code === "Z_BUF_ERROR") return;
    if (!code.startsWith("Z_")) throw error;
    yield { path, damage: `cannot be unpacked: ${message}` };
  }
}

/** Paths below `directory` of all files in a folder of it. */
async function* filesBelow(directory: string, folder: string): AsyncGenerator<string> {
  const entries = await opendir(join(directory, folder)).catch(unlessMissing);
  for await (const entry of entries ?? []) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(directory, path);
    else yield path;
  }
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  // What should be a folder is a file, or the other way round.
  if (!["ENOENT", "ENOTDIR", "EISDIR"].includes(error.code ?? "")) throw error;
}
