import { once } from "node:events";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { subjectOf } from "../../src/schemas/resources.ts";
import { own } from "../support/own-processes.ts";
import { SCOPE, SOURCE, type WrittenObject } from "../support/sqlite-writer.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const WRITER = fileURLToPath(new URL("../support/sqlite-writer.ts", import.meta.url));

describe("a log whose writer is killed", () => {
  let directory: string;
  let path: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "feed-crash-"));
    path = join(directory, "feed.db");
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    await rm(directory, { recursive: true });
  });

  const startWriter = (seed: string) => {
    const child = own(
      spawn(process.execPath, ["--disable-warning=ExperimentalWarning", WRITER, path, seed], {
        stdio: ["ignore", "pipe", "inherit"],
      }),
      "SQLite writer",
    );
    children.push(child);
    return child;
  };

  test("is whole: events, state and checkpoint agree, and nothing acknowledged is lost", async () => {
    let acknowledged = 0;
    for (const [round, commits] of [1, 4, 23, 7, 60, 13].entries()) {
      const child = startWriter(`r${round}`);
      acknowledged = await untilCommits(child, commits, acknowledged);
      await kill(child);
      const log = await openSqlite({ path, source: SOURCE });
      try {
        const { epoch, sequence } = await log.head();
        expect(sequence).toBeGreaterThanOrEqual(acknowledged);
        const entries = await log.read({ epoch, sequence: 0 }, { limit: 1_000_000 });
        expect(entries.map((entry) => entry.sequence)).toEqual(
          Array.from({ length: sequence }, (_, n) => n + 1),
        );
        const state = new Map<string, string>();
        for await (const batch of log.loadState(SCOPE)) {
          for (const entry of batch) state.set(subjectOf(entry.ref), entry.stub.toString());
        }
        const polls = new Map<number, number>();
        const folded = new Map<string, string>();
        for (const entry of entries) {
          const { data } = JSON.parse(entry.json) as { data: { after: WrittenObject } };
          const subject = `${entry.resource}/${entry.namespace}/${entry.key}`;
          if (entry.op === "delete") folded.delete(subject);
          else folded.set(subject, JSON.stringify(data.after));
          polls.set(data.after.poll, (polls.get(data.after.poll) ?? 0) + 1);
        }
        expect(state).toEqual(folded);
        // A poll has 15 events; one that was cut off is made again whole, under the same number.
        const whole = [...polls].filter(([poll]) => isWhole(entries, poll)).map(([poll]) => poll);
        const [scope] = await log.scopes();
        expect(Number(scope?.checkpoint?.index ?? 0)).toBe(Math.max(0, ...whole));
      } finally {
        await log[Symbol.asyncDispose]();
      }
    }
  });

  test("can be written by the next process at once, and names the living one until then", async () => {
    const child = startWriter("holder");
    await untilCommits(child, 2, 0);
    await expect(openSqlite({ path, source: SOURCE })).rejects.toMatchObject({
      code: "LOG_IN_USE",
      message: expect.stringContaining(`pid ${child.pid} on `),
    });
    await expect(openSqlite({ path, source: SOURCE })).rejects.toThrow(path);
    const reader = await openSqlite({ path, readOnly: true });
    expect((await reader.head()).sequence).toBeGreaterThanOrEqual(10);
    for (let opening = 0; opening < 50; opening += 1) {
      await (await openSqlite({ path, readOnly: true }))[Symbol.asyncDispose]();
    }
    expect(await reader.waitBeyond((await reader.head()).sequence, { timeoutMs: 10_000 })).toBe(true);
    await reader[Symbol.asyncDispose]();
    await kill(child);
    const next = await openSqlite({ path, source: SOURCE });
    await next[Symbol.asyncDispose]();
  });
});

/** Reads the writer's lines until it has committed so often; answers the last sequence it told, at the latest. */
async function untilCommits(child: ChildProcess, commits: number, acknowledged: number): Promise<number> {
  if (child.stdout === null) throw new Error("the writer has no output");
  let [told, seen] = [acknowledged, 0];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "open") continue;
    told = Number(line);
    seen += 1;
    if (seen === commits) return told;
  }
  throw new Error(`the writer ended after ${seen} commits`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Whether the newest making of the poll reached its last chunk. */
function isWhole(entries: readonly { json: string }[], poll: number): boolean {
  const last = entries.findLast((entry) => pollOf(entry.json).poll === poll);
  return last !== undefined && pollOf(last.json).version.endsWith("-3-4");
}

function pollOf(json: string): WrittenObject {
  return (JSON.parse(json) as { data: { after: WrittenObject } }).data.after;
}
