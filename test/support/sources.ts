import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const FOLDERS = ["src", ...readdirSync(join(ROOT, "packages")).map((name) => `packages/${name}/src`)];

export interface SourceFile {
  /** From the repository's root: `src/feed/log.ts`. */
  readonly path: string;
  /** What of the whole it belongs to: `feed`; of `packages/client/src/feed.ts` it is `client`. */
  readonly module: string;
  readonly text: string;
}

/** The sources of the bridge and of the packages beside it, by path. */
export function sourceFiles(): SourceFile[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  )
    .filter((path) => path.endsWith(".ts"))
    .toSorted()
    .map((path) => ({ path, module: moduleOf(path), text: readFileSync(join(ROOT, path), "utf8") }));
}

export function moduleOf(path: string): string {
  return /^(?:src|packages)\/([^/]+)/.exec(path)?.[1] ?? path;
}
