import { expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { runCli } from "../support/cli.ts";
import { TestFeed } from "../support/http-feed.ts";
import { until } from "../support/until.ts";
import { watchCluster } from "../support/watched-cluster.ts";

const JOBS: AssignmentStatus = {
  assignment: "jobs/default",
  state: "held",
  worker: "one/1/a",
  since: "2026-08-22T10:15:30.000Z",
  condition: "ok",
  reading: "hinted",
  reason: null,
  index: "120",
  objects: 3,
  lastOkAt: "2026-08-22T10:16:30.000Z",
  lagMs: 0,
};

async function show(found: readonly AssignmentStatus[], ...flags: string[]) {
  await using feed = await TestFeed.open();
  const { url } = await feed.serve({}, { assignments: async () => found });
  return await runCli(["assignments", "--url", url, ...flags]);
}

it("assignments shows who does what of a running feed", async () => {
  const cluster = await watchCluster();
  try {
    const ask = () => runCli(["assignments", "--url", cluster.bridge.url]);
    // Alerts are looked at once every scope was read, a moment after the bridge is ready.
    await until("everything is done", async () => (await ask()).code === 0);
    const { stdout } = await ask();
    expect(stdout).toMatch(/^ASSIGNMENT +WORKER +SINCE +CONDITION +READING +LAG +INDEX +OBJECTS\n/);
    for (const assignment of ["plan", "trim", "hints", "nodes/-", "jobs/default", "alerts"]) {
      expect(stdout).toMatch(
        new RegExp(`^${assignment} +\\S+/${process.pid}/\\w+ +\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z `, "m"),
      );
    }
    expect(stdout).toMatch(/^jobs\/default +.* ok +lists +0\.0s +\d+ +\d+$/m);
  } finally {
    await cluster.close();
  }
});

it("assignments exits with 1 and says why where something is not done", async () => {
  const lost = { ...JOBS, state: "waiting", worker: null, since: null, reason: "nobody is free" } as const;
  const waiting = await show([JOBS, { ...lost, assignment: "nodes/-" }]);
  expect(waiting).toMatchObject({ code: 1 });
  expect(waiting.stdout).toMatch(/^nodes\/- +- .*waiting.*nobody is free$/m);
  const stale = await show([{ ...JOBS, condition: "stale", reason: "Nomad is away", lagMs: 65_000 }]);
  expect(stale.code).toBe(1);
  expect(stale.stdout).toMatch(/stale +hinted +65\.0s.*Nomad is away/);
});

it("assignments counts what this Nomad does not have as done", async () => {
  const reason = "only Nomad Enterprise has it";
  const { code, stdout } = await show([
    JOBS,
    { ...JOBS, assignment: "license/-", condition: "unsupported", reason, index: null, objects: null },
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^license\/- .* unsupported .*only Nomad Enterprise has it$/m);
});

it("assignments --json prints what /v1/assignments answers", async () => {
  const { code, stdout } = await show([JOBS], "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ assignments: [JOBS] });
});

it("assignments says where nobody answers, and which addresses it takes", async () => {
  const away = await runCli(["assignments", "--url", "http://127.0.0.1:1"]);
  expect(away.code).toBe(1);
  expect(away.stderr).toMatch(/http:\/\/127\.0\.0\.1:1 does not answer.*\n.*nomad-changefeed run/);
  await using feed = await TestFeed.open();
  const { url } = await feed.serve(
    {},
    { assignments: () => Promise.reject(new LogUnavailable("Redis is away")) },
  );
  const helpless = await runCli(["assignments", "--url", url]);
  expect(helpless).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("503, The log cannot be used right now"),
  });
  const wrong = await runCli(["assignments", "--url", "127.0.0.1"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("--url");
});
