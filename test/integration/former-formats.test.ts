import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { SCHEMA_VERSION } from "../../src/feed/sqlite/schema.ts";
import { changeEventSchema } from "../../src/schemas/event-schema.ts";
import { runCli } from "../support/cli.ts";
import { draft } from "../support/drafts.ts";
import { openSqlite } from "../support/sqlite-files.ts";

/**
 * Logs as the code of their format wrote them: the jobs and allocations of a small simulated cluster, whose first sight is
 * events too, and a consumer that has acknowledged seven. Made by `simulate --seed 1 --allocations 2` and, against it,
 * `run --cluster kept --resources jobs,allocations --namespaces default --baseline events`, stopped after 15 events; gzip -9n.
 */
const KEPT = join(import.meta.dirname, "../support/kept-logs");
const SOURCE = "nomad://kept/simulated";
const FORMATS = Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1);

const keptFile = (format: number) => join(KEPT, `sqlite-format-${format}.db.gz`);

it("a log is kept of every format that there was, and of the present one for those to come", () => {
  expect(FORMATS.filter((format) => !existsSync(keptFile(format)))).toEqual([]);
});

describe.each(FORMATS)("a log of format %i, as its own code wrote it", (format) => {
  it("opens, folds to the state that it holds, and takes more", async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), "ncf-kept-"));
    const path = join(directory.path, "feed.db");
    writeFileSync(path, gunzipSync(readFileSync(keptFile(format))));

    // First as a reader that may change nothing.
    const history = await runCli(["history", "--feed", `sqlite:${path}`, "--json", "--limit", "1000"]);
    expect(history).toMatchObject({ code: 0, stderr: "" });
    const told = history.stdout.trim().split("\n");
    expect(told.length).toBeGreaterThan(10);

    const log = await openSqlite({ path, source: SOURCE });
    const head = await log.head();
    expect(head.sequence - head.floor).toBe(told.length);
    const entries = await log.read({ epoch: head.epoch, sequence: head.floor }, { limit: 1000 });
    expect(entries.map(({ json }) => json)).toEqual(told);
    const state = await stateOf(log);
    expect(state.size).toBeGreaterThan(1);
    expect(fold(told)).toEqual(state);
    const consumers = (await log.consumers.list()).map(({ name, cursor }) => `${name}: ${cursor.sequence}`);
    // The first code had no way to acknowledge yet.
    expect(consumers).toEqual(format === 1 ? [] : ["kept: 7"]);

    const { scope, fence, rev } = await log.claim({ resource: "jobs", namespace: "default" }, "present");
    const events = [draft({ key: "new", job: "new" })];
    await log.commit({ scope, fence, expectedRev: rev, commitId: "present", events, state: [] });
    await log.documents.claim("delivery/hook", "present");
    await log[Symbol.asyncDispose]();

    const again = await openSqlite({ path, source: SOURCE });
    expect(await again.head()).toMatchObject({ epoch: head.epoch, sequence: head.sequence + 1 });
    expect(await again.documents.list("delivery/")).toHaveLength(1);
    expect(await stateOf(again)).toEqual(state);
    await again[Symbol.asyncDispose]();
  });
});

/** `type/namespace/id` of each object → its revision, by the last event of it. */
function fold(lines: readonly string[]): Map<string, string> {
  const objects = new Map<string, string>();
  for (const line of lines) {
    const { success, data: event } = changeEventSchema.safeParse(JSON.parse(line));
    if (!success) continue;
    const { op, rev } = event.data;
    if (op === "delete") objects.delete(event.subject);
    else objects.set(event.subject, rev.current ?? "");
  }
  return objects;
}

async function stateOf(log: FeedLog): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for (const resource of ["jobs", "allocations"] as const) {
    for await (const batch of log.loadState({ resource, namespace: "default" }))
      for (const { ref, rev } of batch) objects.set(`${resource}/${ref.namespace}/${ref.key}`, rev);
  }
  return objects;
}
