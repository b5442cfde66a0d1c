import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { FeedLog, StateWrite } from "../../src/feed/log.ts";
import { systemClock } from "../../src/shared/clock.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { runCli } from "../support/cli.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const NODE = "fb2170a8-257d-3c64-b14d-bc06cc94e34c";
const FIRST = "5456bd7a-9fc0-c0dd-6131-cbee77f57577";
const SECOND = "54ffffff-9fc0-c0dd-6131-cbee77f57577";

const allocation = (ID: string, JobID: string, ClientStatus: string, ModifyIndex: number) => ({
  ID,
  JobID,
  ClientStatus,
  ModifyIndex,
  Name: `${JobID}.front[0]`,
  Namespace: "default",
  NodeID: NODE,
  CreateIndex: 10,
});
const job = (ID: string, Status: string, ModifyIndex: number, Namespace = "default") => ({
  ID,
  Name: ID,
  Status,
  ModifyIndex,
  Namespace,
  CreateIndex: 9,
});
const node = (Status: string, ModifyIndex: number) => ({
  ID: NODE,
  Name: "n1",
  Status,
  ModifyIndex,
  CreateIndex: 1,
});

let folder: string;
let feed: string;
let log: FeedLog;
let nowMs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ncf-history-"));
  const path = join(folder, "feed.db");
  feed = `sqlite:${path}`;
  nowMs = Date.now() - 2 * 86_400_000;
  log = await openSqlite({
    path,
    source: "nomad://test/global",
    clock: { ...systemClock, now: () => nowMs },
  });
  await write("jobs", undefined, job("web", "pending", 9));
  nowMs = Date.now() - 60_000;
  await write("jobs", undefined, job("par/dispatch-1", "running", 9, "qa"));
  await write("allocations", undefined, allocation(FIRST, "web", "running", 10));
  await write("allocations", allocation(FIRST, "web", "running", 10), allocation(FIRST, "web", "failed", 11));
  await write("allocations", undefined, allocation(SECOND, "db", "running", 12));
  await write("nodes", node("ready", 2), node("down", 13));
});
afterAll(async () => {
  await log[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const revs = new Map<string, number>();

async function write(
  resource: ResourceType,
  before: object | undefined,
  after: object | undefined,
): Promise<void> {
  const namespaced = resource !== "nodes";
  const scope = { resource, namespace: namespaced ? "*" : "-" };
  const { fence } = await log.claim(scope, "test");
  const { rev } = await log.commit({
    scope,
    fence,
    expectedRev: revs.get(resource) ?? 0,
    commitId: `${resource}-${revs.get(resource) ?? 0}`,
    state: after === undefined ? [] : [stateOf(resource, after)],
    events: buildChangeEvents(changeOf(resource, before, after), contextOf()),
  });
  revs.set(resource, rev);
}

function stateOf(resource: ResourceType, after: object): StateWrite {
  const { ID: key, Namespace: namespace = "-" } = after as { ID: string; Namespace?: string };
  return { ref: { resource, namespace, key }, next: { rev: "1", stub: Buffer.from(JSON.stringify(after)) } };
}

/** Severity, type and name of each printed line, in order. */
async function history(...args: string[]): Promise<string[]> {
  const { code, stdout } = await runCli(["history", ...args, "--feed", feed]);
  expect(code).toBe(0);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/\s+/).slice(2, 4).join(" "));
}

describe("history", () => {
  it("of a job has its allocations, newest last; --only leaves them out", async () => {
    const whole = ["job.registered web", "allocation.running web.front[0]", "allocation.failed web.front[0]"];
    expect(await history("job/web")).toEqual(whole);
    expect(await history("jobs/web", "--only")).toEqual(["job.registered web"]);
    expect(await history("job/web", "--since", "1d")).toEqual(whole.slice(1));
    expect(await history("job/web", "--until", "1d")).toEqual(whole.slice(0, 1));
    expect(await history("job/par/dispatch-1")).toEqual(["job.registered par/dispatch-1"]);
  });

  it("of a node has its allocations; the beginning of an id will do", async () => {
    expect(await history("node/fb21")).toHaveLength(4);
    expect(await history("node/fb21", "--only")).toEqual(["node.down n1"]);
    expect(await history("allocations/5456")).toHaveLength(2);
  });

  it("filters by signal and namespace", async () => {
    expect(await history("--signal", "allocation.failed")).toEqual(["allocation.failed web.front[0]"]);
    expect(await history("--namespace", "qa")).toEqual(["job.registered par/dispatch-1"]);
  });

  it("refuses a beginning that several ids have, and lists them", async () => {
    const { code, stderr } = await runCli(["history", "allocation/54", "--feed", feed]);
    expect(code).toBe(2);
    expect(stderr).toContain(FIRST);
    expect(stderr).toContain(SECOND);
  });

  it("shows the newest where there are more than the limit, and says so", async () => {
    const { stdout, stderr } = await runCli(["history", "--limit", "2", "--json", "--feed", feed]);
    const types = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(["nomad.allocation.created", "nomad.node.updated"]);
    expect(stderr).toContain("only the newest 2");
  });

  it("prints events as the log has them with --json", async () => {
    const { stdout } = await runCli(["history", "--json", "--feed", feed]);
    const entries = await log.history({ order: "oldest-first", limit: 100 });
    expect(stdout).toBe(entries.map(({ json }) => `${json}\n`).join(""));
  });

  it("tells a name that is not there from an object that did not change", async () => {
    const said = async (...args: string[]) =>
      (await runCli(["history", ...args, "--feed", feed])).stderr.trimEnd();
    expect(await said("job/wbe")).toBe(
      "nothing in the log matches: there is no job/wbe; did you mean job/web?",
    );
    expect(await said("node/fb21", "--signal", "node.draining")).toBe(
      `nothing in the log matches: node/${NODE} is known, but no such change of it`,
    );
    expect(await said("job/something-else")).toBe("nothing in the log matches");
  });

  it("says where nothing matches, where there is no log, and that retention took some", async () => {
    expect((await runCli(["history", "job/none", "--feed", feed])).stderr).toContain(
      "nothing in the log matches",
    );
    const none = await runCli(["history", "--feed", `sqlite:${join(folder, "none.db")}`]);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/There is no log at .*\nhint: .*--feed/);
    await log.trim({ recordedBeforeMs: Date.now() - 86_400_000 });
    expect((await runCli(["history", "job/web", "--feed", feed])).stderr).toContain(
      "events up to number 1 are gone",
    );
  });
});
