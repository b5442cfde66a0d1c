import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { objectChange, refOf } from "../support/drafts.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const FULL = 2;
const scope = { resource: "jobs", namespace: "default" } as const;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "feed-durability-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

/** How SQLite syncs, asked on the very connection of each commit and just before it. */
function spyOnCommits(): { readonly journal: string; readonly synchronous: unknown }[] {
  const commits: { journal: string; synchronous: unknown }[] = [];
  const own = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, "exec");
  const exec = own?.value as (this: DatabaseSync, sql: string) => void;
  vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql) {
    if (sql === "COMMIT") {
      const asked = (pragma: string) => this.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
      commits.push({ journal: String(asked("journal_mode")), synchronous: asked("synchronous") });
    }
    exec.call(this, sql);
  });
  return commits;
}

test("every commit is on the disk before it is answered: that of a new file, and all that follow", async () => {
  const commits = spyOnCommits();
  const path = join(directory, "feed.db");
  for (const round of [1, 2]) {
    const log = await openSqlite({ path, source: "nomad://test/global" });
    const { fence, rev } = await log.claim(scope, "writer");
    const change = objectChange(refOf("jobs", "web"), String(round));
    const before = commits.length;
    await log.commit({
      scope,
      fence,
      expectedRev: rev,
      commitId: `round ${round}`,
      events: [change.event],
      state: [change.state],
    });
    expect(commits.length).toBeGreaterThan(before);
    await log[Symbol.asyncDispose]();
  }
  expect(commits.map(({ synchronous }) => synchronous)).toEqual(commits.map(() => FULL));
  expect(commits.at(-1)?.journal).toBe("wal");
});
