import { opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
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

  async [Symbol.asyncDispose](): Promise<void> {}
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
