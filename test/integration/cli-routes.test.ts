import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildChangeEvents } from "../../src/events/build.ts";
import { Silences } from "../../src/publishers/alerting/silences.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { runCli } from "../support/cli.ts";
import { changeOf, contextOf, SAMPLES } from "../support/event-fixtures.ts";
import { TestFeed } from "../support/http-feed.ts";
import { TestClock } from "../support/test-clock.ts";

const ROUTES = `
routes:
  - to: slack
    minSeverity: WARN
    groupBy: [namespace, job]
    routes:
      - where: { namespace: sandbox }
        to: none
      - minSeverity: ERROR
        to: [pager, slack]
        groupWait: 10s
        mute: [{ from: "10:00", to: "11:00" }]
`;

let clock: TestClock;
let feed: TestFeed;
let directory: string;
beforeEach(async () => {
  clock = new TestClock();
  feed = await TestFeed.open({ clock });
  directory = await mkdtemp(join(tmpdir(), "ncf-routes-"));
  configure(ROUTES);
});
afterEach(async () => {
  await feed[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Two destinations for people, and two for events. */
function configure(routes: string): void {
  const webhook = `file:${put("hook", "https://hooks.example/x")}`;
  put(
    "feed.yaml",
    `destinations:
  slack: { type: slack, webhook: "${webhook}" }
  pager: { type: slack, webhook: "${webhook}" }
  lines: { type: stdout, types: [allocations], minSeverity: WARN }
  nodes: { type: stdout, types: [nodes] }
${routes}`,
  );
}

function put(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

async function test(args: readonly string[], columns?: number) {
  const terminal = columns === undefined ? {} : { isTTY: true, columns: () => columns };
  const flags = ["--config", join(directory, "feed.yaml"), "--feed", feed.location];
  const { stdout, ...rest } = await runCli(["routes", "test", ...args, ...flags], { clock, ...terminal });
  return { ...rest, stdout: stripVTControlCharacters(stdout) };
}

function alert(severity: string, namespace: string, startsAt = "2026-08-22T10:15:00Z") {
  const labels = { cluster: "prod", region: "global", namespace, job: "checkout", group: "web" };
  return { rule: "JobFailing", severity, labels, startsAt, firedAt: startsAt };
}

describe("routes test", () => {
  it("says where alerts of a file go and why nowhere else, within 80 columns", async () => {
    const file = put(
      "alerts.json",
      JSON.stringify({
        alerts: [alert("ERROR", "payments"), alert("WARN", "sandbox"), alert("INFO", "ops")],
      }),
    );
    const { code, stdout, stderr } = await test([file], 80);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toBe(`2026-08-22T10:15:00Z  ERROR  JobFailing  payments/checkout/web
  → pager by route 0.1, together by namespace=payments, job=checkout; after 10s,
  again after 4h; mute then, told when that is over
  → slack by route 0.1, together by namespace=payments, job=checkout; after 10s,
  again after 4h; mute then, told when that is over
  not 0.0: namespace payments is none of sandbox
2026-08-22T10:15:00Z  WARN  JobFailing  sandbox/checkout/web
  → nobody: route 0.0 says none
2026-08-22T10:15:00Z  INFO  JobFailing  ops/checkout/web
  → nobody: no route takes it
  not 0: severity INFO is below WARN
3 alerts: nobody 2, pager 1, slack 1
`);
  });

  it("exits with 0 where a route takes each, and gives all as JSON", async () => {
    const file = put("alert.json", JSON.stringify(alert("WARN", "ops", "2026-08-22T12:00:00Z")));
    const { code, stdout } = await test([file, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      events: [],
      alerts: [
        {
          route: "0",
          told: [
            {
              destination: "slack",
              route: "0",
              group: { namespace: "ops", job: "checkout" },
              groupWaitMs: 30_000,
              isMuted: false,
            },
          ],
          steps: [
            { route: "0", mismatch: null },
            { route: "0.0", mismatch: "namespace ops is none of sandbox" },
            { route: "0.1", mismatch: "severity WARN is below ERROR" },
          ],
        },
      ],
    });
  });

  it("tells everybody of everything where there are no routes, as the feed does", async () => {
    configure("");
    const { code, stdout } = await test([put("alert.json", JSON.stringify(alert("INFO", "ops")))]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 alert: pager 1, slack 1$/m);
  });

  it("says which Alertmanagers have an alert, whatever routes say", async () => {
    configure(`  am: { type: alertmanager, urls: "http://am:9093", minSeverity: WARN }
  all: { type: alertmanager, urls: "http://all:9093" }
routes: [{ to: slack, minSeverity: ERROR }]
`);
    const { code, stdout } = await test([
      put("alerts.json", JSON.stringify({ alerts: [alert("WARN", "a"), alert("INFO", "b")] })),
    ]);
    expect(code).toBe(1);
    expect(stdout.split("\n").filter((line) => /→|not a/.test(line))).toEqual([
      "  → nobody: no route takes it",
      "  → am, whatever routes say",
      "  → all, whatever routes say",
      "  → nobody: no route takes it",
      "  → all, whatever routes say",
      "  not am: severity INFO is below WARN",
    ]);
    expect(stdout).toMatch(/^2 alerts: all 2, am 1$/m);
  });

  it("tests what the log would have made fire, and says what is silent now", async () => {
    await nodeGoesDown();
    const silences = new Silences({ log: feed.log, clock, logger: silentLogger() });
    const one = { matchers: { rules: ["Node*"] }, forMs: 3_600_000, comment: "", createdBy: "x" };
    const { id } = await silences.add(one);
    await clock.advance(600_000);
    const { code, stdout } = await test(["--since", "1h"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S+Z {2}ERROR {2}NodeDown {2}\S+\n {2}→ pager by route 0\.1, /m);
    expect(stdout).toContain(`  silent now: ${id}\n`);
    expect(stdout).toMatch(/^1 alert: pager 1, slack 1$/m);
  });

  it("tests an event of the log, or of a file: who takes it, and the alert that it is part of", async () => {
    const cursor = await nodeGoesDown();
    const { code, stdout } = await test(["--cursor", cursor]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^event nomad\.node\.updated {2}ERROR {2}nodes\/-\/\S+\n {2}→ nodes\n/);
    expect(stdout).toContain("  not lines: types\n");
    expect(stdout).toMatch(/^\S+Z {2}pending {2}NodeDown {2}\S+\n {2}→ pager by route 0\.1/m);

    const events = await feed.log.history({ order: "oldest-first", limit: 10 });
    const file = put("events.jsonl", events.map(({ json }) => `${json}\n`).join(""));
    const ofFile = await test([file]);
    expect(ofFile.stdout).toContain("event nomad.node.created");
    expect(ofFile.stdout).toMatch(/pending {2}NodeDown/);
  });

  it("says what it cannot use", async () => {
    const file = put("wrong.json", '{"rule":"JobFailing","severity":"LOUD","labels":{}}');
    const wrong = await test([file]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/wrong\.json: number 1: severity: /);
    expect(await test([])).toMatchObject({ code: 2 });
    expect(await test(["--cursor", "nothing"])).toMatchObject({ code: 2 });
    expect((await test([join(directory, "none.json")])).stderr).toContain("cannot be read");
    put("feed.yaml", "destinations:\n  lines: { type: stdout }\n");
    const noRoutes = await test([put("alert.json", JSON.stringify(alert("WARN", "ops")))]);
    expect(noRoutes).toMatchObject({
      code: 1,
      stderr: "warning: the configuration has no routes, and no destination for people\n",
    });
  });
});

/** Answers the cursor of the event. */
async function nodeGoesDown(): Promise<string> {
  const up = { ...SAMPLES.nodes, Status: "ready" };
  const observedAt = new Date(clock.now()).toISOString();
  await feed.commit(...buildChangeEvents(changeOf("nodes", undefined, up), contextOf({ observedAt })));
  const down = changeOf("nodes", up, { ...up, Status: "down" });
  return feed.commit(...buildChangeEvents(down, contextOf({ observedAt })));
}
