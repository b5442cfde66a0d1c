import type { Clock } from "../../shared/clock.ts";
import type { Connection } from "./connection.ts";

/** Pages of 4 KiB: well before SQLite does it within a commit, which is at 1,000. */
const WORTH_PAGES = 600;
/** By then whoever waits for the commit's events has them. */
const AFTER_MS = 10;
/** Since 3.51 SQLite tells how long the write-ahead file is without shortening it; what is older takes it for "shorten". */
const FIRST_THAT_TELLS = [3, 51];

/**
 * Moves what was committed from the write-ahead file to the log's own, between commits. SQLite by itself does it within
 * the commit that makes the file long, and that one's events come later: two files more have to be on the disk by then.
 */
export class WriteAhead {
  readonly #connection: Connection;
  readonly #clock: Pick<Clock, "after">;
  readonly #isOurs: boolean;
  #cancel: (() => void) | undefined;
  /** Pages in the file when they were last moved: where a reader keeps some there, they are not asked for at once again. */
  #movedAt = 0;

  constructor(connection: Connection, clock: Pick<Clock, "after">) {
    this.#connection = connection;
    this.#clock = clock;
    this.#isOurs = tellsLength(connection);
  }

  /** Call after each commit. */
  committed(): void {
    if (this.#isOurs) this.#cancel ??= this.#clock.after(AFTER_MS, () => this.#look());
  }

  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    this.#cancel = undefined;
    const pages = this.#ask("NOOP");
    if (pages < this.#movedAt) this.#movedAt = 0;
    if (pages - this.#movedAt >= WORTH_PAGES) this.#movedAt = this.#ask("PASSIVE");
  }

  /** Pages in the file. */
  #ask(mode: "NOOP" | "PASSIVE"): number {
    try {
      return this.#connection.get(`PRAGMA wal_checkpoint(${mode})`)?.integer("log") ?? 0;
    } catch {
      // Nothing is lost by it, and whoever commits next meets what is wrong.
      return 0;
    }
  }
}

function tellsLength(connection: Connection): boolean {
  const version = connection.get("SELECT sqlite_version() AS version")?.text("version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [firstMajor = 0, firstMinor = 0] = FIRST_THAT_TELLS;
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
