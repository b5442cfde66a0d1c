import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import type { Authenticator } from "../../src/http/access/identity.ts";
import { alertListSchema, type AlertJson, type AlertList } from "../../src/schemas/alert-schema.ts";
import { ALL_RIGHTS, type Rights } from "../../src/schemas/rights.ts";
import { runCli } from "../support/cli.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";

const LABELS = {
  cluster: "prod",
  region: "global",
  namespace: "payments",
  job: "checkout-api",
  group: "web",
};
const ALERT: AlertJson = {
  id: "JobFailing,…",
  rule: "JobFailing",
  severity: "ERROR",
  state: "firing",
  labels: LABELS,
  summary:
    "12 allocations of checkout-api/web failed and are not replaced yet: 12 × exit code 137, out of memory",
  details: { why: "12 × exit code 137, out of memory" },
  count: 12,
  startsAt: "2026-11-29T03:00:00.000Z",
  firedAt: "2026-11-29T03:01:00.000Z",
  endsAt: null,
  reason: null,
  beganMeanwhile: false,
  isKept: false,
  lastEventAt: null,
  evidence: [],
  page: null,
};

let clock: TestClock;
let feed: TestFeed;
beforeEach(async () => {
  clock = new TestClock();
  feed = await TestFeed.open({ clock });
});
afterEach(() => feed[Symbol.asyncDispose]());

describe("alerts", () => {
  async function show(found: Partial<AlertList>, flags: string[] = [], columns?: number) {
    const asOf = new Date().toISOString();
    const { url } = await feed.serve(
      {},
      { alerts: async () => ({ asOf, alerts: [], ended: [], destinations: [], ...found }) },
    );
    const terminal = columns === undefined ? {} : { isTTY: true, columns: () => columns };
    return runCli(["alerts", "--url", url, ...flags], terminal);
  }

  it("shows what fires, since when and why, within 80 columns, and exits with 1", async () => {
    const pending: AlertJson = { ...ALERT, rule: "JobFlapping", severity: "WARN", state: "pending" };
    const { code, stdout, stderr } = await show({ alerts: [pending, ALERT] }, [], 80);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stripVTControlCharacters(stdout)).toBe(`SINCE                 SEVERITY  RULE         ABOUT
2026-11-29T03:00:00Z  ERROR     JobFailing   payments/checkout-api/web
  12 allocations of checkout-api/web failed and are not replaced yet: 12 × exit
  code 137, out of memory
2026-11-29T03:00:00Z  pending   JobFlapping  payments/checkout-api/web
  12 allocations of checkout-api/web failed and are not replaced yet: 12 × exit
  code 137, out of memory
1 firing, 1 pending, 0 ended in the last hour
`);
  });

  it("exits with 0 where nothing fires, and with 1 and a warning where nobody looks", async () => {
    const ended: AlertJson = {
      ...ALERT,
      state: "resolved",
      endsAt: "2026-11-29T04:00:00.000Z",
      reason: "recovered",
    };
    const quiet = await show({ ended: [ended] }, ["--ended"]);
    expect(quiet).toMatchObject({ code: 0, stderr: "" });
    expect(quiet.stdout).toMatch(/^2026-11-29T04:00:00Z +ERROR +JobFailing .*\n +recovered$/m);
    expect(await show({ asOf: null })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nobody has looked for alerts yet") as string,
    });
    expect(await show({ asOf: "2025-11-29T04:00:00.000Z" })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("since 2025-11-29T04:00:00Z") as string,
    });
  });

  it("gives all that is known as JSON, within which nothing steers a terminal", async () => {
    const { stdout } = await show({ alerts: [{ ...ALERT, summary: "\u001b[2J" }] }, ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ alerts: [{ id: ALERT.id, summary: "\u001b[2J" }] });
    expect(stdout).not.toContain("\u001b");
  });
});

it("shows a token the alerts about what it may list, and no others", async () => {
  const about: Record<string, string>[] = [
    { namespace: "payments", job: "a", group: "web" },
    { namespace: "payments", job: "b" },
    { namespace: "secret", job: "c", group: "web" },
    { node: "n" },
    { scope: "jobs/payments" },
    { scope: "jobs/secret" },
    { scope: "feed" },
  ];
  const all = about.map((labels): AlertJson => ({ ...ALERT, labels }));
  const rights: Rights = {
    mayList: (resource, namespace) => resource === "jobs" && namespace === "payments",
    mayListEverywhere: () => false,
    mayRead: () => false,
    mayKnow: (namespace) => namespace === "payments",
    none: false,
  };
  const destinations = [
    {
      name: "am",
      target: "http://am",
      state: "ok",
      reason: null,
      since: null,
      lastOkAt: null,
      waiting: 0,
      lagMs: 0,
    } as const,
  ];
  const tokens: Authenticator = {
    identify: async (token) => ({ name: "a token", rights: token === "all" ? ALL_RIGHTS : rights }),
  };
  const alerts = async () => ({ asOf: null, alerts: all, ended: all, destinations });
  const { url } = await feed.serve({}, { alerts, authenticators: [tokens] });
  const seen = async (token: string) => {
    const response = await fetch(`${url}/v1/alerts`, { headers: { authorization: `Bearer ${token}` } });
    const found = alertListSchema.parse(await response.json());
    expect(found.ended).toEqual(found.alerts);
    expect(found.destinations).toEqual(token === "all" ? destinations : []);
    return found.alerts.map(({ labels }) => labels);
  };
  expect(await seen("all")).toEqual(about);
  expect(await seen("some")).toEqual([about[1], about[4]]);
});

describe("alerts replay", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-replay-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function put(before: object | undefined, after: object, at: number): Promise<void> {
    const change = changeOf("nodes", before, after);
    const observedAt = new Date(at).toISOString();
    await feed.commit(...buildChangeEvents(change, contextOf({ observedAt })));
  }

  it("tells what the rules of the file would have made fire, and nobody else", async () => {
    const up = { ...SAMPLES.nodes, Status: "ready" };
    const down = { ...up, Status: "down" };
    await put(undefined, up, clock.now());
    await put(up, down, clock.now());
    const file = join(directory, "feed.yaml");
    writeFileSync(file, "alerts:\n  rules:\n    NodeDown: { for: 10m, severity: FATAL }\n");
    const ask = (...flags: string[]) =>
      runCli(["alerts", "replay", "--feed", feed.location, "--since", "2026-08-22T00:00:00Z", ...flags]);
    const { code, stdout } = await ask("--config", file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FIRED +LASTED +SEVERITY +RULE +ABOUT$/m);
    expect(stdout).toMatch(/^2026-08-22T10:10:00Z +still +FATAL +NodeDown +\S+$/m);
    expect(stdout).toMatch(/1 alerts: NodeDown 1/);
    expect((await ask()).stdout).toMatch(/^2026-08-22T10:01:00Z +still +ERROR +NodeDown/m);
    expect(await feed.log.documents.list("")).toEqual([]);
  });
});
