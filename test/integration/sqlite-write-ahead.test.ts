import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { draft, SOURCE } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { openSqlite } from "../support/sqlite-files.ts";
import { TestClock } from "../support/test-clock.ts";

async function rig(directory: string) {
  const path = join(directory, "feed.db");
  const clock = new TestClock();
  const feed = await TestFeed.open({ log: await openSqlite({ path, source: SOURCE, clock }) });
  const other = new DatabaseSync(path, { readOnly: true });
  /** Pages that were committed, and how many of them are in the log's own file by now. */
  const pages = () => {
    const { log, checkpointed } = other.prepare("PRAGMA wal_checkpoint(NOOP)").get() ?? {};
    return { log: Number(log), checkpointed: Number(checkpointed) };
  };
  let commits = 0;
  /** Of some 20 pages. */
  const commit = () => feed.commit(draft({ id: `event-${commits++}`, bytes: 60_000 }));
  const longest = async (atLeast: number) => {
    while (pages().log < atLeast) await commit();
  };
  const end = async () => {
    other.close();
    await feed[Symbol.asyncDispose]();
  };
  return { clock, pages, commit, longest, end };
}

it("what was committed is moved to the log's own file between commits, and not within one", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-wal-"));
  const { clock, pages, commit, longest, end } = await rig(directory.path);
  await longest(700);
  expect(pages().checkpointed).toBe(0);
  await clock.advance(10);
  const { log, checkpointed } = pages();
  expect(checkpointed).toBe(log);
  // The file is used from its beginning again.
  await commit();
  expect(pages().log).toBeLessThan(100);
  await end();
});

it("the file grows no further where nothing comes between commits", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-wal-"));
  const { pages, commit, end } = await rig(directory.path);
  let most = 0;
  for (let n = 0; n < 120; n += 1) {
    await commit();
    most = Math.max(most, pages().log);
  }
  expect(most).toBeGreaterThan(700);
  expect(most).toBeLessThan(1_100);
  await end();
});
