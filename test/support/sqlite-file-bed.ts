import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { LogUnusable } from "../../src/feed/errors.ts";
import type { Commit, FeedHead, FeedLog } from "../../src/feed/log.ts";
import { draft } from "./drafts.ts";
import { openSqlite } from "./sqlite-files.ts";

export const SOURCE = "nomad://test/global";

/** A place for a log's file, in a directory of its own. */
class SqliteFileBed {
  directory = "";
  path = "";

  readonly open = (): Promise<FeedLog> => openSqlite({ path: this.path, source: SOURCE });
  readonly openAndHead = async (): Promise<FeedHead> => {
    const log = await this.open();
    const head = await log.head();
    await log[Symbol.asyncDispose]();
    return head;
  };
  readonly makeLog = async (events: number): Promise<void> => {
    const log = await this.open();
    await log.commit(await commitOf(log, events));
    await log[Symbol.asyncDispose]();
  };
  readonly digest = () => createHash("sha256").update(readFileSync(this.path)).digest("hex");

  /** Opening must fail with this error, name the file, say what to do, and change nothing. */
  readonly expectRefused = async (opening: () => Promise<FeedLog>, message: RegExp): Promise<void> => {
    const before = this.#digestIfThere();
    const error = await opening().then(
      async (log) => {
        await log[Symbol.asyncDispose]();
        return undefined;
      },
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof LogUnusable, String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(this.path), error.message);
    assert.equal(error.retryable, false);
    assert.equal(this.#digestIfThere(), before);
  };

  async make(): Promise<void> {
    this.directory = await mkdtemp(join(tmpdir(), "feed-file-"));
    this.path = join(this.directory, "feed.db");
  }

  async remove(): Promise<void> {
    await chmod(this.directory, 0o755);
    await rm(this.directory, { recursive: true });
  }

  #digestIfThere(): string | undefined {
    return existsSync(this.path) ? this.digest() : undefined;
  }
}

/** A commit of `count` events of 2 KB each. */
export async function commitOf(log: FeedLog, count: number): Promise<Commit> {
  const claim = await log.claim({ resource: "allocations", namespace: "*" }, "me");
  const events = Array.from({ length: count }, (_, n) => draft({ key: `k${n}`, job: "web", bytes: 2000 }));
  return {
    scope: claim.scope,
    fence: claim.fence,
    expectedRev: claim.rev,
    commitId: `c${claim.fence}`,
    events,
    state: [],
  };
}

/** One anew for each test of the file that calls this. */
export function sqliteFileBed(): SqliteFileBed {
  const bed = new SqliteFileBed();
  beforeEach(() => bed.make());
  afterEach(() => bed.remove());
  return bed;
}
