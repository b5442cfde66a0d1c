import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whySchema } from "../../src/schemas/why-schema.ts";
import { AccessFeed } from "../support/access-feed.ts";
import { runCli } from "../support/cli.ts";
import { refOf } from "../support/drafts.ts";
import { TestFeed } from "../support/http-feed.ts";
import { RealChanges } from "../support/real-changes.ts";

const KEY = "5456bd7a-9fc0-c0dd-6131-cbee77f57577";
const OTHER = "5456ffff-9fc0-c0dd-6131-cbee77f57577";
const alloc = (rest: object = {}) => ({
  Name: "web.fe[0]",
  JobID: "web",
  NodeName: "worker-1",
  DesiredStatus: "run",
  ClientStatus: "running",
  ModifyIndex: 1,
  ...rest,
});

let feed: TestFeed;
let changes: RealChanges;
let url: string;
beforeEach(async () => {
  feed = await TestFeed.open();
  changes = new RealChanges(feed);
  ({ url } = await feed.serve());
});
afterEach(() => feed[Symbol.asyncDispose]());

const run = (args: string[], columns?: number) =>
  runCli([...args, "--url", url], columns === undefined ? {} : { isTTY: true, columns: () => columns });

it.each([
  ["state", "--types", "job"],
  ["why", "job/web"],
  ["tail"],
  ["wait", "job", "web"],
  ["silence", "list"],
  ["audit", "verify"],
])("%s says how a command sends a token where the feed asks for one", async (...command) => {
  await using access = await AccessFeed.open();
  const { url: guarded } = await access.serve();
  const where = command[0] === "audit" ? [`${guarded}/v1/audit/`] : ["--url", guarded];
  const { code, stderr } = await runCli([...command, ...where]);
  expect(code).toBe(1);
  expect(stderr).toBe("error: A token is needed here\nhint: Name a file that holds one with --token-file\n");
});

it("why says where the ids are, where a name is given in place of one", async () => {
  expect(await run(["why", "node/worker-1"])).toMatchObject({
    code: 2,
    stderr:
      'error: "worker-1" is no id of nodes, nor the beginning of one\nhint: `nomad-changefeed state --types nodes` lists them with their names\n',
  });
});

describe("state", () => {
  it("says what may be asked for where the feed does not understand", async () => {
    const type = await run(["state", "--types", "job"]);
    expect(type.code).toBe(1);
    expect(type.stderr).toMatch(
      /^error: types cannot be "job"\nallowed: .*\bjobs, nodes\b.*\nhint: Did you mean jobs\?\n$/,
    );
    const moment = await run(["state", "--at", "2026-13-01"]);
    expect(moment.stderr).toMatch(
      /^error: "2026-13-01" is no moment of the feed\nallowed: <cursor>, RFC 3339 time, /,
    );
  });

  it("counts the values of a list that is given twice, as tail does", async () => {
    await changes.set(
      [refOf("allocations", KEY), alloc()],
      [refOf("jobs", "web"), { Status: "running" }],
      [refOf("nodes", "n"), { Status: "ready" }],
    );
    const twice = await run(["state", "--types", "allocations", "--types", "jobs"]);
    expect(twice.stderr).toMatch(/^2 objects as of /);
    const subjects = ["--subjects", `allocations/default/${KEY}`, "--subjects", "jobs/default/web"];
    expect((await run(["state", ...subjects])).stderr).toMatch(/^2 objects as of /);
  });

  it("prints objects as they were, a line each, and of which moment", async () => {
    const first = await changes.set(
      [refOf("allocations", KEY), alloc()],
      [refOf("jobs", "web"), { Status: "running" }],
    );
    await changes.set([
      refOf("allocations", KEY),
      alloc({ ClientStatus: "failed", DesiredStatus: "stop", ModifyIndex: 2 }),
    ]);
    const now = await run(["state"], 80);
    expect(stripVTControlCharacters(now.stdout)).toBe(
      "allocation/5456bd7a  failed, to stop  web.fe[0]  default  node worker-1  job web\njob/web  running  default\n",
    );
    const then = await run(["state", "--at", first, "--filter", 'ClientStatus == "running"']);
    expect(then.stdout).toBe(`allocation/${KEY}  running  web.fe[0]  default  node worker-1  job web\n`);
    expect(then.stderr).toBe(`1 object as of ${first}\n`);
    const array = await run(["state", "--format", "json", "--types", "allocations"]);
    expect(JSON.parse(array.stdout)).toMatchObject([{ data: { after: { ClientStatus: "failed" } } }]);
    const lines = await run(["state", "--format", "ndjson"]);
    expect(
      lines.stdout
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { type: string }).type),
    ).toEqual(["nomad.allocation.snapshot", "nomad.job.snapshot"]);
    expect((await run(["state", "--format", "json", "--types", "nodes"])).stdout).toBe("[]\n");
  });

  it("says in the server's words why a moment cannot be told", async () => {
    const refused = await run(["state", "--at", "tomorrow"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("no moment of the feed");
  });
});

describe("why", () => {
  it("finds the object by the beginning of its id, and tells its story in the terminal's width", async () => {
    await changes.set([refOf("allocations", KEY, "prod"), alloc({ TaskStates: null, Namespace: "prod" })]);
    await changes.set([
      refOf("allocations", KEY, "prod"),
      alloc({
        ClientStatus: "failed",
        ClientDescription: "the description of what failed is a long one",
        ModifyIndex: 2,
      }),
    ]);
    const { code, stdout, stderr } = await run(["why", "allocation/5456"], 60);
    expect([code, stderr]).toEqual([0, ""]);
    const text = stripVTControlCharacters(stdout);
    expect(text).toContain("allocation web.fe[0] (5456bd7a)  failed\n");
    expect(text).toMatch(/Z {2}Allocation 5456bd7a failed: the\n {22}description of what failed/u);
    expect(text).toContain("missing: Not in the log and the state any more: job web");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
    const json = await run(["why", `allocation/${KEY}`, "--namespace", "prod", "--json"]);
    expect(whySchema.parse(JSON.parse(json.stdout)).subject).toBe(`allocations/prod/${KEY}`);
  });

  it("asks which one is meant, and says that there is none", async () => {
    await changes.set(
      [refOf("allocations", KEY), alloc()],
      [refOf("allocations", OTHER), alloc()],
      [refOf("jobs", "web"), { Status: "running" }],
      [refOf("jobs", "web", "prod"), { Status: "running" }],
    );
    const ids = await run(["why", "allocation/5456"]);
    expect(ids.code).toBe(2);
    expect(ids.stderr).toContain("2 allocations begin with 5456");
    expect(ids.stderr).toContain(`allocations/default/${OTHER}`);
    const jobs = await run(["why", "job/web"]);
    expect(jobs.stderr).toContain("There are 2 in several namespaces");
    expect((await run(["why", "job/web", "--namespace", "prod"])).stdout).toContain("jobs/prod/web");
    expect((await run(["why", "job/nothing"])).stderr).toContain("There is no job nothing");
    expect((await run(["why", "allocation/web"])).stderr).toContain("no id of allocations");
    expect((await run(["why", "job/nothing", "--namespace", "prod"])).stderr).toContain(
      "Nothing is known of jobs/prod/nothing",
    );
  });
});
