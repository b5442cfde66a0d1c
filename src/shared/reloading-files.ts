import { statSync } from "node:fs";
import type { Clock } from "./clock.ts";

/** Where each request asks for it, what could not be read is read again so often at most. */
const RETRY_MS = 1_000;

interface Source<Content> {
  /** Differs whenever the files do: their text, or `fileVersions`. May throw where there are none. */
  readonly version: () => string;
  /** Throws what is wrong with them, as while they are being written. */
  readonly read: (version: string) => Content;
  readonly onReload?: (content: Content) => void;
  /** The last content stays in use. Called once for each problem in a row. */
  readonly onUnusable: (problem: unknown) => void;
  /** Absent: what could not be read is read again whenever it is asked for. */
  readonly clock?: Pick<Clock, "elapsed">;
}

/** What is in files, followed as they change. What cannot be used leaves the last content in use. */
export class ReloadingFiles<Content> {
  readonly #source: Source<Content>;
  #version: string;
  #content: Content;
  #problem: string | undefined;
  /** What could not be read, and when. */
  #failed: { readonly version: string; readonly atMs: number } | undefined;

  /** Throws what `version` and `read` throw: there is no last content yet. */
  constructor(source: Source<Content>) {
    this.#source = source;
    this.#version = source.version();
    this.#content = source.read(this.#version);
  }

  /** The newest content that can be used; looks at the files. */
  current(): Content {
    const { onReload, onUnusable } = this.#source;
    try {
      const version = this.#source.version();
      if (this.#restsAfter(version)) return this.#content;
      const isOther = version !== this.#version;
      if (isOther) this.#read(version);
      if (isOther || this.#problem !== undefined) onReload?.(this.#content);
      this.#problem = undefined;
    } catch (problem) {
      if (String(problem) !== this.#problem) onUnusable(problem);
      this.#problem = String(problem);
    }
    return this.#content;
  }

  /** Whether it could not be read just now. */
  #restsAfter(version: string): boolean {
    const { clock } = this.#source;
    const failed = this.#failed?.version === version ? this.#failed : undefined;
    return clock !== undefined && failed !== undefined && clock.elapsed() - failed.atMs < RETRY_MS;
  }

  #read(version: string): void {
    this.#failed = { version, atMs: this.#source.clock?.elapsed() ?? 0 };
    this.#content = this.#source.read(version);
    // Only now: what could not be read is read again, though it may look the same when it can be.
    this.#failed = undefined;
    this.#version = version;
  }
}

/** Changes whenever one of the files is written, replaced, removed, or allowed to others. Reads none of them. */
export function fileVersions(paths: readonly string[]): string {
  return paths.map(versionOf).join();
}

function versionOf(path: string): string {
  try {
    const { mtimeMs, size, ino, mode } = statSync(path);
    return `${mtimeMs}/${size}/${ino}/${mode}`;
  } catch (error) {
    return String(error);
  }
}
