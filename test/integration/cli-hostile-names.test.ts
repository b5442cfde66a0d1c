import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { AssignmentStatus } from "../../src/schemas/assignment-schema.ts";
import { runCli, startCli } from "../support/cli.ts";
import { changeOf, contextOf } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { HOSTILE_NAME, steeringIn } from "../support/terminal.ts";
import { until } from "../support/until.ts";

const JOB = {
  ID: HOSTILE_NAME,
  Name: HOSTILE_NAME,
  Namespace: HOSTILE_NAME,
  Status: HOSTILE_NAME,
  StatusDescription: `${HOSTILE_NAME}\nforged`,
  ModifyIndex: 9,
  CreateIndex: 9,
};
const ASSIGNMENT: AssignmentStatus = {
  assignment: `jobs/${HOSTILE_NAME}`,
  state: "held",
  worker: HOSTILE_NAME,
  since: "2026-08-22T10:15:30.000Z",
  condition: "stale",
  reading: "lists",
  reason: `${HOSTILE_NAME}\nforged`,
  index: "120",
  objects: 3,
  lastOkAt: "2026-08-22T10:16:30.000Z",
  lagMs: 0,
};

let feed: TestFeed;
let url: string;

beforeAll(async () => {
  feed = await TestFeed.open();
  ({ url } = await feed.serve({}, { assignments: async () => [ASSIGNMENT] }));
  const drafts = [
    ...buildChangeEvents(changeOf("jobs", undefined, JOB), contextOf()),
    ...buildChangeEvents(changeOf("jobs", JOB, { ...JOB, Status: "dead" }), contextOf()),
  ];
  const state = {
    ref: { resource: "jobs" as const, namespace: HOSTILE_NAME, key: HOSTILE_NAME },
    next: { rev: "9", stub: Buffer.from(JSON.stringify(JOB)) },
  };
  await feed.write(drafts, [state]);
});
afterAll(async () => {
  await feed[Symbol.asyncDispose]();
});

function expectHarmless(output: string): void {
  expect(steeringIn(output)).toEqual([]);
  expect(output).not.toMatch(/^forged/m);
}

it("tail and history show a hostile name in one line, without what steers a terminal", async () => {
  const history = await runCli(["history", "--feed", feed.location]);
  const tail = await runCli(["tail", "--url", url, "--cursor", "earliest", "--limit", "2"]);
  for (const { stdout, stderr } of [history, tail]) {
    expectHarmless(stdout + stderr);
    expect(stdout.trimEnd().split("\n")).toHaveLength(2);
    expect(stdout).toContain("a�[2J�[31m�c��b�cod.exe");
  }
});

it("tail --json and history --json print JSON that says the same, escaped", async () => {
  const history = await runCli(["history", "--json", "--feed", feed.location]);
  const tail = await runCli(["tail", "--json", "--url", url, "--cursor", "earliest", "--limit", "2"]);
  for (const { stdout, stderr } of [history, tail]) {
    expectHarmless(stdout + stderr);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { data: { resource: { name: string } } });
    expect(events.map(({ data }) => data.resource.name)).toEqual([HOSTILE_NAME, HOSTILE_NAME]);
  }
});

it("history and other commands do not repeat it raw where they refuse something", async () => {
  const near = HOSTILE_NAME.replace("exe", "exx");
  const guess = await runCli(["history", `job/${near}`, "--feed", feed.location]);
  expect(guess.stderr).toMatch(/did you mean job\/a�\[2J/);
  expectHarmless(guess.stderr);
  const wrong: string[][] = [
    ["history", HOSTILE_NAME],
    ["history", `${HOSTILE_NAME}/x\nforged`],
    ["history", "--since", `${HOSTILE_NAME}\nforged`],
    ["history", "--feed", `sqlite:/none/${HOSTILE_NAME}\nforged`],
    ["config", "--wait", HOSTILE_NAME],
    ["config", `--${HOSTILE_NAME}`],
    ["tail", "--types", `${HOSTILE_NAME}\nforged`],
    ["tail", "--filter", `${HOSTILE_NAME}\nforged`],
    ["tail", "--url", HOSTILE_NAME],
    ["tail", "--url", `http://127.0.0.1:1/${HOSTILE_NAME}`, "--token-file", HOSTILE_NAME],
    ["schema", HOSTILE_NAME],
    ["simulate", "--faults", HOSTILE_NAME],
    [HOSTILE_NAME],
  ];
  for (const args of wrong) {
    const { code, stdout, stderr } = await runCli(args);
    expect({ args, failed: code !== 0, silent: stderr === "" }).toEqual({
      args,
      failed: true,
      silent: false,
    });
    expectHarmless(stdout + stderr);
  }
});

it("assignments shows it safely, as a table and as JSON", async () => {
  const table = await runCli(["assignments", "--url", url]);
  expectHarmless(table.stdout);
  expect(table.stdout.trimEnd().split("\n")).toHaveLength(3);
  const { stdout } = await runCli(["assignments", "--json", "--url", url]);
  expectHarmless(stdout);
  expect(JSON.parse(stdout)).toEqual({ assignments: [ASSIGNMENT] });
});

it("config shows it safely, as a table and as JSON", async () => {
  for (const flags of [[], ["--json"]]) {
    const { code, stdout } = await runCli(["config", "--nomad-region", HOSTILE_NAME, ...flags]);
    expect(code).toBe(0);
    expect(stdout).toContain("cod.exe");
    expectHarmless(stdout);
  }
});

it("doctor and run show what Nomad says safely", async () => {
  const nomad = createServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json", "x-nomad-index": "5" });
    const { pathname } = new URL(request.url ?? "", "http://x");
    response.end(JSON.stringify(answers[pathname] ?? [{ Name: HOSTILE_NAME }]));
  });
  nomad.listen(0, "127.0.0.1");
  await once(nomad, "listening");
  const folder = await mkdtemp(join(tmpdir(), "ncf-names-"));
  const address = `http://127.0.0.1:${(nomad.address() as AddressInfo).port}`;
  const answers: Record<string, unknown> = {
    "/v1/status/leader": `${HOSTILE_NAME}\nforged`,
    "/v1/agent/self": { config: { Region: HOSTILE_NAME, Version: { Version: `2.0.5-${HOSTILE_NAME}` } } },
    "/v1/acl/token/self": { AccessorID: "x", Name: `${HOSTILE_NAME}\nforged`, Type: "client", Policies: [] },
  };
  const where = ["--nomad-addr", address, "--listen", "127.0.0.1:0"];
  for (const flags of [[], ["--json"]]) {
    const { stdout, stderr } = await runCli(["doctor", ...where, ...flags]);
    expect(stdout).toContain("cod.exe");
    expectHarmless(stdout + stderr);
  }
  for (const format of ["pretty", "json"]) {
    const log = `sqlite:${join(folder, `${HOSTILE_NAME.replaceAll(/\s/g, "")}-${format}.db`)}`;
    const bridge = startCli(["run", ...where, "--feed", log, "--log-format", format]);
    await until("a line about it", () => bridge.stderr.includes("cod.exe"));
    bridge.interrupt();
    await bridge.done;
    expectHarmless(bridge.stdout + bridge.stderr);
  }
  nomad.close();
  await rm(folder, { recursive: true });
});

it("what a command writes by a way of its own is guarded as well", async () => {
  const { stderr } = await runCli(["help", HOSTILE_NAME]);
  expectHarmless(stderr);
});
