import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { objectChange } from "../support/drafts.ts";
import { blocksIn } from "../support/pages/pages.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const GUIDE = readFileSync(new URL("../../docs/sqlite-log.md", import.meta.url), "utf8");
const QUERIES = blocksIn("docs/sqlite-log.md", "sql").map(({ text }) => text);

describe("the queries of docs/sqlite-log.md", () => {
  let directory: string;
  let log: FeedLog;
  let shell: DatabaseSync;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "feed-shell-"));
    const path = join(directory, "feed.db");
    log = await openSqlite({
      path,
      source: "nomad://prod/global",
      clock: { ...systemClock, now: () => Date.parse("2026-08-22T10:15:30.412Z") },
    });
    const scope = { resource: "nodes", namespace: "-" } as const;
    const { fence } = await log.claim(scope, "worker-1");
    const { event, state } = objectChange({ ...scope, key: "n1" }, "9", {
      job: "web",
      signals: ["allocation.failed"],
    });
    const tail = '"data":{"changes":[{"path":"/Status","from":"ready","to":"down"}]}}';
    await log.commit({
      scope,
      fence,
      expectedRev: 0,
      commitId: "c",
      events: [{ ...event, tail }],
      state: [state],
    });
    const { epoch } = await log.head();
    await log.consumers.put("audit", { epoch, sequence: 0 });
    shell = new DatabaseSync(path, { readOnly: true });
  });
  afterAll(async () => {
    shell.close();
    await log[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test.each(QUERIES)("%s", (sql) => {
    expect(shell.prepare(sql).all()).toHaveLength(1);
  });

  test("are there", () => {
    expect(QUERIES.length).toBeGreaterThan(5);
  });

  test("and its tables are those of the file", () => {
    const tables = shell.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of tables) expect(GUIDE).toContain(`**${String(name)}**`);
    const columns = shell
      .prepare(
        "SELECT c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name != 'one'",
      )
      .all();
    for (const { name } of columns) expect(GUIDE).toContain(`\`${String(name)}\``);
  });
});
