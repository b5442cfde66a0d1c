import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createSimulator, type Simulator } from "../../packages/nomad-simulator/src/index.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { openAlertmanager } from "../../src/publishers/alertmanager/alertmanager.ts";
import { pageUrlOf } from "../../src/publishers/page-url.ts";
import { alertListSchema, type AlertJson } from "../../src/schemas/alert-schema.ts";
import { alertmanagerSettingsSchema } from "../../src/schemas/destinations/alertmanager.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { Alertmanager, alertmanagerMissing } from "../support/alertmanager.ts";
import { skippedBecause } from "../support/skipped.ts";
import { startBridge, type StartedBridge } from "../support/started-bridge.ts";
import { until } from "../support/until.ts";

const missing = alertmanagerMissing();
const WATCHDOG = "NomadChangefeedWatchdog";
const HOUR = 3_600_000;

const nowMs = Date.now();
const at = (ms: number) => new Date(nowMs + ms).toISOString();
const ALERT: AlertJson = {
  id: "JobFailing,web",
  rule: "JobFailing",
  severity: "ERROR",
  state: "firing",
  labels: { cluster: "prod", region: "global", namespace: "default", job: "web", group: "api" },
  summary: "2 allocations of web/api failed",
  details: { why: "exit code 1", node: "" },
  count: 2,
  startsAt: at(-HOUR),
  firedAt: at(-HOUR),
  endsAt: null,
  reason: null,
  beganMeanwhile: false,
  isKept: false,
  lastEventAt: null,
  evidence: ["0/allocations/default/a@1", "0/allocations/default/b@2"],
  page: "jobs/web@default",
};

describe.skipIf(missing !== undefined)(`Alertmanager${skippedBecause(missing)}`, () => {
  let replicas: Alertmanager[];
  beforeAll(async () => {
    replicas = [await Alertmanager.start(), await Alertmanager.start()];
  });
  afterAll(async () => {
    for (const replica of replicas) await replica[Symbol.asyncDispose]();
  });
  const first = () => replicas[0] as Alertmanager;
  const named = (name: string) =>
    first()
      .alerts()
      .filter(({ labels }) => labels["alertname"] === name);

  it("has an alert by what identifies it alone, whatever is said of it later, until its true end", async () => {
    const settings = {
      type: "alertmanager",
      urls: [first().url],
      // What an alert is about, no setting says.
      labels: { team: "a", job: "other", alertname: "Other" },
    };
    const deps = {
      clock: systemClock,
      logger: silentLogger(),
      readSecret: () => "",
      pageUrl: pageUrlOf("https://nomad.example/ui"),
    };
    const shared = { cluster: "prod", region: "global" };
    const [replica] = openAlertmanager(alertmanagerSettingsSchema.parse(settings), shared, deps);
    const send = async (alert: AlertJson) => replica?.send([alert], true, new AbortController().signal);
    try {
      expect(await send(ALERT)).toMatchObject({ outcome: "ok" });
      const later = {
        ...ALERT,
        count: 50,
        details: { why: "exit code 137" },
        summary: "50 allocations failed",
      };
      expect(await send(later)).toMatchObject({ outcome: "ok" });
      const [seen, ...others] = named("JobFailing");
      expect(others).toEqual([]);
      expect(seen).toMatchObject({
        labels: { ...ALERT.labels, alertname: "JobFailing", severity: "critical", team: "a" },
        annotations: {
          summary: "50 allocations failed",
          why: "exit code 137",
          count: "50",
          events: ALERT.evidence.join(" "),
        },
        generatorURL: "https://nomad.example/ui/jobs/web@default",
      });
      expect(Object.keys(seen?.labels ?? {})).toHaveLength(8);
      // Whoever sends may be away for a quarter of an hour.
      expect(Date.parse(seen?.endsAt ?? "") - Date.now()).toBeGreaterThan(14 * 60_000);
      expect(named(WATCHDOG)).toMatchObject([{ labels: { cluster: "prod", severity: "none", team: "a" } }]);
      await send({ ...later, state: "resolved", endsAt: at(-1000), reason: "recovered" });
      expect(named("JobFailing")).toEqual([]);
    } finally {
      await replica?.[Symbol.asyncDispose]();
    }
  });

  it("has an alert, and its end, also where the clock was set back since it began", async () => {
    let aheadMs = HOUR;
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const settings = { type: "alertmanager", urls: [first().url] };
    const deps = { clock, logger: silentLogger(), readSecret: () => "", pageUrl: pageUrlOf("http://x/ui") };
    const [replica] = openAlertmanager(alertmanagerSettingsSchema.parse(settings), {}, deps);
    const send = async (alert: AlertJson) => replica?.send([alert], true, new AbortController().signal);
    const before = { ...ALERT, rule: "SetBack", startsAt: at(HOUR), firedAt: at(HOUR) };
    aheadMs = 0;
    try {
      expect(await send(before)).toMatchObject({ outcome: "ok" });
      expect(named("SetBack")).toHaveLength(1);
      await send({ ...before, state: "resolved", endsAt: at(HOUR), reason: "recovered" });
      await until("it is over", () => named("SetBack").length === 0);
    } finally {
      await replica?.[Symbol.asyncDispose]();
    }
  });

  it("takes what is valid of what it is sent, of which the answer is a refusal that names the rest", async () => {
    const settings = { type: "alertmanager", urls: [first().url] };
    const deps = {
      clock: systemClock,
      logger: silentLogger(),
      readSecret: () => "",
      pageUrl: pageUrlOf("https://nomad.example/ui"),
    };
    const [replica] = openAlertmanager(alertmanagerSettingsSchema.parse(settings), {}, deps);
    const of = (rule: string, more: object = {}) => ({ ...ALERT, rule, labels: { job: "x" }, ...more });
    const wrong = of("Wrong", { labels: { "no-label": "x" } });
    const result = await replica?.send([wrong, of("Right")], false, new AbortController().signal);
    expect(result).toMatchObject({
      outcome: "refused",
      why: "poison",
      which: [],
      reason: expect.stringMatching(/^it answered 400: .*no-label/) as string,
    });
    expect(named("Right")).toHaveLength(1);
    expect(named("Wrong")).toEqual([]);
    await replica?.[Symbol.asyncDispose]();
  });

  describe("told by a bridge", () => {
    let directory: string;
    let simulator: Simulator;
    let nomadAddr: string;
    let bridge: StartedBridge;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "ncf-alertmanager-"));
      simulator = createSimulator({ seed: 3, allocations: 20, nodes: 3, namespaces: 1 });
      nomadAddr = await simulator.listen();
    });
    afterEach(async () => {
      await bridge.stop();
      await simulator.close();
      await rm(directory, { recursive: true, force: true });
    });

    async function start(): Promise<void> {
      const config = join(directory, "feed.yaml");
      const off = [
        "JobFailing",
        "JobExhausted",
        "JobFlapping",
        "OomKilled",
        "PlacementBlocked",
        "JobOverdue",
        "DriverUnhealthy",
      ];
      writeFileSync(
        config,
        `destinations:
  am: { type: alertmanager, urls: [${replicas.map(({ url }) => url).join(", ")}], resend: 1s, retry: { most: 1s } }
alerts:
  rules:
    NodeDown: { for: 0s, keepFiringFor: 0s }
${off.map((name) => `    ${name}: off`).join("\n")}
`,
      );
      const flags = {
        config,
        nomadAddr,
        feed: `sqlite:${join(directory, "feed.db")}`,
        listen: "127.0.0.1:0",
      };
      const resolved = resolveConfig({ flags, env: {} });
      bridge = await startBridge(resolved.config, { logger: silentLogger() });
      await bridge.ready();
    }
    const names = (replica: Alertmanager) =>
      replica
        .alerts()
        .filter(({ labels }) => labels["cluster"] === "nomad")
        .map(({ labels }) => `${labels["alertname"]} ${labels["node"] ?? ""}`.trim())
        .toSorted();
    const destinations = async () => {
      const response = await fetch(`${bridge.url}/v1/alerts`);
      return alertListSchema.parse(await response.json()).destinations;
    };

    it("all replicas have exactly what fires and its end, also one that was away, and a bridge that dies ends nothing", async () => {
      await start();
      await until("both know that alerts are made", () =>
        replicas.every((one) => names(one).join() === WATCHDOG),
      );
      const [node] = [...simulator.cluster.state.tables.nodes.values()].map(({ key }) => key);
      const second = replicas[1] as Alertmanager;
      await second.stop();
      simulator.cluster.setNodeStatus(node ?? "", "down");
      const both = [WATCHDOG, `NodeDown ${node}`].toSorted();
      await until("the first has it", () => names(first()).join() === both.join());
      await until("people see which has not", async () =>
        (await destinations()).some(({ state, target }) => state !== "ok" && target === second.url),
      );
      await second.run();
      await until("the second has it", () => names(second).join() === both.join());
      await bridge.stop();
      const [left] = first()
        .alerts()
        .filter(({ labels }) => labels["node"] === node);
      expect(Date.parse(left?.endsAt ?? "") - Date.now()).toBeGreaterThan(14 * 60_000);
      simulator.cluster.setNodeStatus(node ?? "", "ready");
      await start();
      await until("it has ended", () => replicas.every((one) => names(one).join() === WATCHDOG));
    });
  });
});
