import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventsMissing, LogUnavailable } from "../../src/feed/errors.ts";
import { RULES } from "../../src/alerts/rules/table.ts";
import { PartedText, readPartedText } from "../../src/publishers/alerting/parted-text.ts";
import type { RepeatedConfig, ToldConfig } from "../../src/schemas/destinations/told.ts";
import { slackSettingsSchema } from "../../src/schemas/destinations/slack.ts";
import { routeSchema } from "../../src/schemas/routes.ts";
import { alertmanagerSettingsSchema } from "../../src/schemas/destinations/alertmanager.ts";
import { buildChangeEvents } from "../../src/events/build.ts";
import { buildControlEvent } from "../../src/events/control.ts";
import { FOLD_DOCUMENT } from "../../src/publishers/alerting/fold-text.ts";
import { AlertRig, type Worker } from "../support/alert-rig.ts";
import { SOURCE } from "../support/drafts.ts";
import { changeOf, contextOf, SAMPLES, taskOf } from "../support/event-fixtures.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let rig: AlertRig;
beforeEach(async () => {
  rig = await AlertRig.open();
  rig.readAtMs = rig.clock.now();
  await rig.put("jobs", {});
});
afterEach(() => rig[Symbol.asyncDispose]());

const exit = { exit_code: "1", oom_killed: "false" };
const failedTask = taskOf({ State: "dead", Failed: true }, [["Terminated", 2_000, exit]]);
const FAILED = { ClientStatus: "failed", TaskStates: { nginx: failedTask } };
const REPLACED = { ...FAILED, NextAllocation: "7df0c922-795b-2734-2f4b-64fe6959c6f3" };

describe("whoever makes alerts", () => {
  it("tells what fires, and what ended, of what was there before and of what comes", async () => {
    await rig.put("deployments", { Status: "failed" });
    rig.begin();
    await rig.pass(2 * SECOND);
    expect(await rig.told()).toEqual({ firing: ["DeploymentFailed web"], pending: [], ended: [] });
    expect((await rig.list()).alerts[0]).toMatchObject({
      labels: { cluster: "test", region: "global", namespace: "default", job: "web" },
      beganMeanwhile: true,
    });
    await rig.put("allocations", FAILED);
    await rig.pass(30 * SECOND);
    expect((await rig.told()).pending).toEqual(["JobFailing web"]);
    await rig.pass(31 * SECOND);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web", "JobFailing web"]);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(SECOND);
    expect((await rig.told()).ended).toEqual(["DeploymentFailed web: recovered"]);
  });

  it("says nothing before all scopes were read", async () => {
    rig.readAtMs = null;
    await rig.put("deployments", { Status: "failed" });
    const { alerting } = rig.begin();
    await rig.pass(10 * SECOND);
    expect(await rig.list()).toEqual({ asOf: null, alerts: [], ended: [], destinations: [] });
    expect(alerting.describe("alerts")).toMatchObject({
      condition: "starting",
      reason: "the scopes are yet to be read",
    });
    rig.readAtMs = rig.clock.now();
    await rig.pass(SECOND);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web"]);
    expect(alerting.describe("alerts")).toMatchObject({ condition: "ok", reason: null });
  });

  it("goes on after a restart with the same alerts, and what was pending fires when it was to", async () => {
    const first = rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.put("allocations", FAILED);
    await rig.pass(40 * SECOND);
    const before = (await rig.list()).alerts;
    first.stop.abort();
    await rig.clock.finish(first.ending);
    await rig.pass(5 * SECOND);
    rig.begin();
    await rig.pass(2 * SECOND);
    expect((await rig.list()).alerts).toEqual(before);
    await rig.pass(15 * SECOND);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web", "JobFailing web"]);
  });

  it("that takes over from one that still believes to be alone leaves that one nothing to write", async () => {
    const first = rig.begin();
    await rig.pass(SECOND);
    rig.begin();
    await rig.pass(2 * SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(12 * SECOND);
    expect(await rig.clock.finish(first.ending)).toBe("fenced");
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web"]);
  });

  it("was away for long: what recovered meanwhile is resolved, and nothing fires that nobody saw", async () => {
    const first = rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.put("allocations", FAILED);
    await rig.pass(40 * SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    rig.readAtMs = null;
    await rig.pass(20 * MINUTE);
    rig.begin();
    await rig.pass(10 * SECOND);
    // Nomad was not read yet: what fired then, fires.
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web"]);
    await rig.put("jobs", { Status: "running" });
    await rig.put("deployments", { Status: "cancelled" });
    await rig.put("allocations", REPLACED);
    rig.readAtMs = rig.clock.now();
    await rig.pass(5 * SECOND);
    expect(await rig.told()).toEqual({
      firing: [],
      pending: [],
      ended: ["DeploymentFailed web: recovered"],
    });
  });

  it("whose place the log holds no more starts from what there is, and says that events are missing", async () => {
    const first = rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    for (const Status of ["running", "pending", "running"]) await rig.put("jobs", { Status });
    await rig.feed.log.trim({ maxEvents: 1 });
    rig.begin();
    await rig.pass(5 * SECOND);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web", "FeedGap undefined"]);
  });

  it("that retention overtakes while it follows says that events are missing, and has what is true", async () => {
    const { log } = rig.feed;
    const wait = log.waitBeyond.bind(log);
    // As where another process writes: what it commits has to be read.
    log.waitBeyond = (sequence, { timeoutMs, signal }) =>
      wait(sequence, { timeoutMs, ...(signal && { signal }) });
    rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web"]);
    const read = log.read.bind(log);
    const gate = Promise.withResolvers<undefined>();
    // Reading takes as long as it takes for what is to be read to be gone.
    log.read = async (...given) => {
      await gate.promise;
      return read(...given);
    };
    await rig.put("deployments", { Status: "cancelled" });
    await rig.put("allocations", FAILED);
    for (const Status of ["running", "pending", "running"]) await rig.put("jobs", { Status });
    await log.trim({ maxEvents: 1 });
    gate.resolve(undefined);
    await rig.pass(5 * SECOND);
    expect(await rig.told()).toEqual({
      firing: ["FeedGap undefined"],
      pending: ["JobFailing web"],
      ended: ["DeploymentFailed web: recovered"],
    });
  });

  it("takes other rules while it runs; alerts of a rule that is switched off end with that reason", async () => {
    const { alerting } = rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.put("allocations", FAILED);
    await rig.pass(2 * MINUTE);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web", "JobFailing web"]);
    alerting.configure({
      alerts: { rules: RULES.filter(({ name }) => name !== "DeploymentFailed") },
      alertDestinations: [],
      routes: [],
    });
    await rig.pass(2 * SECOND);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });
});

async function bePending(): Promise<void> {
  await rig.pass(2 * SECOND);
  await rig.put("allocations", FAILED);
  await rig.pass(10 * SECOND);
  expect((await rig.told()).pending).toEqual(["JobFailing web"]);
}

/** The log is away for minutes; its documents come back before the rest does, by so long. */
async function beAway(documentsBeforeMs = 0): Promise<void> {
  const { log } = rig.feed;
  const away = new LogUnavailable("the log is away");
  for (const call of ["times", "head", "read", "waitBeyond"] as const)
    vi.spyOn(log, call).mockRejectedValue(away);
  const documents = (["get", "save"] as const).map((call) =>
    vi.spyOn(log.documents, call).mockRejectedValue(away),
  );
  await rig.pass(3 * MINUTE);
  for (const call of documents) call.mockRestore();
  await rig.pass(documentsBeforeMs);
  vi.restoreAllMocks();
}

/** Of its objects there were no events. */
async function beginScope(): Promise<void> {
  const scope = { resource: "allocations", namespace: "*" } as const;
  const observedAt = new Date(rig.clock.now()).toISOString();
  const context = { source: SOURCE, nomadEpoch: 0, observedAt, discriminator: "1" };
  await rig.feed.write([buildControlEvent({ kind: "baseline", scope, count: 1, index: "1" }, context)], []);
}

it("tells of a run that fails after Nomad was restored, whose index is lower than that of one that completed before", async () => {
  const scope = { resource: "allocations", namespace: "*" } as const;
  const run = { JobType: "batch", JobID: "backup" };
  const completed = {
    ID: "7df0c922-795b-2734-2f4b-64fe6959c6f3",
    ClientStatus: "complete",
    CreateIndex: 990_000,
  };
  await rig.put("jobs", { ID: "backup", Type: "batch" });
  rig.begin();
  await rig.pass(2 * SECOND);
  await rig.put("allocations", { ...run, ...completed });
  await rig.pass(2 * SECOND);
  const gone = changeOf("allocations", { ...SAMPLES.allocations, ...run, ...completed }, undefined);
  const observedAt = new Date(rig.clock.now()).toISOString();
  const said = (phase: "begin" | "end") =>
    buildControlEvent(
      { kind: "resync", scope, phase, reason: "restored" },
      { source: SOURCE, nomadEpoch: 1, observedAt, discriminator: "1" },
    );
  await rig.feed.write(
    [said("begin"), ...buildChangeEvents(gone, contextOf({ observedAt })), said("end")],
    [{ ref: gone.ref, next: null }],
  );
  await rig.pass(2 * SECOND);
  await rig.put("allocations", { ...FAILED, ...run, CreateIndex: 900_000 });
  await rig.pass(MINUTE + SECOND);
  expect((await rig.told()).firing).toEqual(["JobFailing backup"]);
});

describe("a log that was away", () => {
  /** What the alert is about may recover meanwhile, and the scope's loop holds that back. */
  const beAwayWhilePending = async (): Promise<void> => {
    rig.begin();
    await bePending();
    await beAway();
  };

  it("lets nothing fire that was over before it came back", async () => {
    await beAwayWhilePending();
    await rig.pass(5 * SECOND);
    const firing = (await rig.told()).firing;
    await rig.put("allocations", REPLACED);
    await rig.pass(5 * SECOND);
    expect(firing).toEqual([]);
  });

  it("lets nothing fire that was over before it came back, also where everything is being read", async () => {
    rig.begin();
    await bePending();
    vi.spyOn(rig, "whileRead").mockRejectedValue(new LogUnavailable("the log is away"));
    await beginScope();
    await beAway();
    await rig.pass(2 * SECOND);
    expect(await rig.told()).toMatchObject({ firing: [], pending: ["JobFailing web"] });
  });

  it("lets nothing fire that was over before it came back, also where it lost events", async () => {
    await beAwayWhilePending();
    const { log } = rig.feed;
    const read = log.read.bind(log);
    const { epoch, sequence } = await log.head();
    vi.spyOn(log, "read").mockImplementation(async (cursor, options) => {
      if (cursor.sequence <= sequence) throw new EventsMissing(cursor, { epoch, sequence: sequence + 1 });
      return read(cursor, options);
    });
    await rig.put("nodes", {});
    await rig.put("nodes", { Status: "down" });
    await rig.pass(5 * SECOND);
    vi.restoreAllMocks();
    expect((await rig.told()).firing).not.toContain("JobFailing web");
  });
});

describe("whoever takes over", () => {
  const end = async ({ stop, ending }: Worker): Promise<void> => {
    stop.abort();
    await rig.clock.finish(ending);
  };

  it("lets nothing fire that was over before the log came back, where the former one died before it looked", async () => {
    rig.begin();
    await bePending();
    await beAway(SECOND);
    rig.begin();
    await rig.pass(5 * SECOND);
    expect(await rig.told()).toMatchObject({ firing: [], pending: ["JobFailing web"] });
    await rig.put("allocations", REPLACED);
    await rig.pass(2 * MINUTE);
    expect(await rig.told()).toMatchObject({ firing: [], pending: [] });
  });

  it("lets nothing fire that was read while the log was away, and is over", async () => {
    const first = rig.begin();
    await rig.pass(2 * SECOND);
    await beAway();
    await rig.pass(3 * SECOND);
    await end(first);
    rig.aheadMs = -150 * SECOND;
    await rig.put("allocations", FAILED);
    rig.aheadMs = -130 * SECOND;
    await rig.put("nodes", {});
    rig.aheadMs = 0;
    rig.begin();
    await rig.pass(3 * SECOND);
    expect(await rig.told()).toMatchObject({ firing: [], pending: ["JobFailing web"] });
  });

  const dropModel = async (): Promise<void> => {
    const document = await PartedText.claim(FOLD_DOCUMENT, "the test", rig.feed.log.documents);
    const [cursor = "", alerts = "", ...jobs] = (document.text ?? "").split("\n");
    const tooLarge = { ...(JSON.parse(alerts) as object), model: null };
    await document.save([cursor, JSON.stringify(tooLarge), ...jobs].join("\n"));
  };

  it.each([
    ["nothing else", async () => undefined],
    ["the objects having been too many to be kept", dropModel],
    ["a scope having begun anew", beginScope],
  ])("lets nothing fire after long that was pending, for %s", async (_, happens) => {
    const first = rig.begin();
    await bePending();
    await end(first);
    await rig.pass(20 * MINUTE);
    await happens();
    rig.begin();
    await rig.pass(5 * SECOND);
    expect(await rig.told()).toEqual({ firing: [], pending: ["JobFailing web"], ended: [] });
    await rig.pass(MINUTE);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });

  it("lets fire what is to, though the clock was set back meanwhile", async () => {
    const first = rig.begin();
    await bePending();
    await end(first);
    rig.clock.set(-180 * MINUTE);
    rig.begin();
    await rig.pass(2 * MINUTE);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });
});

describe("a clock that was set back while nobody looked", () => {
  const restart12Times = async () => {
    for (let Restarts = 1; Restarts <= 12; Restarts++)
      await rig.put("allocations", { TaskStates: { nginx: taskOf({ Restarts }) } });
  };

  it("counts what happened since for no longer than its rule says, though somebody had looked again before", async () => {
    const first = rig.begin();
    await rig.put("allocations", { TaskStates: { nginx: taskOf() } });
    await rig.pass(2 * SECOND);
    await beAway();
    await rig.pass(3 * SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    rig.clock.set(-180 * MINUTE);
    await restart12Times();
    rig.begin();
    await rig.pass(5 * SECOND);
    expect((await rig.told()).firing).toEqual(["JobFlapping web"]);
    await rig.pass(15 * MINUTE);
    expect((await rig.told()).firing).toEqual([]);
  });

  it("counts what happened before for no longer than its rule says", async () => {
    const first = rig.begin();
    await rig.put("allocations", { TaskStates: { nginx: taskOf() } });
    await rig.pass(2 * SECOND);
    await restart12Times();
    await rig.pass(2 * SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    rig.clock.set(-180 * MINUTE);
    rig.begin();
    await rig.pass(15 * MINUTE);
    expect((await rig.told()).firing).toEqual([]);
  });

  it("counts what happened before for no longer than its rule says, where it is set back while somebody looks", async () => {
    rig.begin();
    await rig.put("allocations", { TaskStates: { nginx: taskOf() } });
    await rig.pass(2 * SECOND);
    await restart12Times();
    await rig.pass(2 * SECOND);
    rig.clock.set(-180 * MINUTE);
    await rig.pass(15 * MINUTE);
    expect((await rig.told()).firing).toEqual([]);
  });
});

describe("the clock of whoever reads Nomad", () => {
  it.each([-45 * SECOND, 45 * SECOND])(
    "keeps nothing from firing where it is ahead by %i ms",
    async (aheadMs) => {
      rig.begin();
      await rig.pass(2 * SECOND);
      await rig.put("allocations", FAILED);
      // The nodes are read by another worker.
      rig.aheadMs = aheadMs;
      for (let n = 0; n < 15; n++) {
        await rig.put("nodes", { Status: n % 2 === 0 ? "down" : "ready" });
        await rig.pass(20 * SECOND);
      }
      expect((await rig.told()).firing).toContain("JobFailing web");
    },
  );

  it("ends nothing that recovers for a moment", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(90 * SECOND);
    const before = (await rig.list()).alerts.map(({ rule, startsAt }) => `${rule} ${startsAt}`);
    await rig.put("allocations", REPLACED);
    rig.aheadMs = -45 * SECOND;
    await rig.put("nodes", {});
    await rig.pass(2 * SECOND);
    rig.aheadMs = 0;
    await rig.put("allocations", { ...FAILED, NextAllocation: "" });
    await rig.pass(2 * SECOND);
    const now = await rig.list();
    expect(now.ended).toEqual([]);
    expect(now.alerts.map(({ rule, startsAt }) => `${rule} ${startsAt}`)).toEqual(before);
  });

  it("lets nothing fire that was read while the log was away, and is over", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    await beAway();
    await rig.pass(1 * SECOND);
    rig.aheadMs = -150 * SECOND;
    await rig.put("allocations", FAILED);
    rig.aheadMs = -130 * SECOND;
    await rig.put("nodes", {});
    rig.aheadMs = 0;
    await rig.pass(3 * SECOND);
    expect((await rig.told()).firing).toEqual([]);
    expect((await rig.told()).pending).toEqual(["JobFailing web"]);
  });

  it("lets nothing fire before it is to, where it was hours ahead for a moment and nobody had noticed", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(2 * SECOND);
    rig.aheadMs = 180 * MINUTE;
    await rig.put("nodes", {});
    rig.aheadMs = 0;
    await rig.pass(2 * SECOND);
    expect((await rig.told()).firing).toEqual([]);
    await rig.pass(60 * SECOND);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });
});

describe("a clock that was ahead for a moment", () => {
  it("keeps no alert from firing when it is to", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    rig.clock.set(180 * MINUTE);
    await rig.pass(5 * SECOND);
    rig.clock.set(-180 * MINUTE);
    await rig.pass(5 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(5 * MINUTE);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });

  it("keeps no alert from firing when it is to, though something was recorded meanwhile", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    rig.clock.set(180 * MINUTE);
    await rig.put("nodes", {});
    await rig.pass(5 * SECOND);
    rig.clock.set(-180 * MINUTE);
    await rig.pass(5 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(5 * MINUTE);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
  });

  it("lets what counts within minutes fire", async () => {
    rig.begin();
    await rig.put("allocations", { TaskStates: { nginx: taskOf() } });
    await rig.pass(2 * SECOND);
    rig.clock.set(180 * MINUTE);
    await rig.pass(5 * SECOND);
    rig.clock.set(-180 * MINUTE);
    await rig.pass(5 * SECOND);
    for (let Restarts = 1; Restarts <= 12; Restarts++) {
      await rig.put("allocations", { TaskStates: { nginx: taskOf({ Restarts }) } });
      await rig.pass(20 * SECOND);
    }
    expect((await rig.told()).firing).toEqual(["JobFlapping web"]);
  });

  it("does not let fire what was not there long enough", async () => {
    rig.begin();
    await rig.pass(2 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(2 * SECOND);
    expect((await rig.told()).pending).toEqual(["JobFailing web"]);
    rig.clock.set(180 * MINUTE);
    await rig.pass(2 * SECOND);
    rig.clock.set(-180 * MINUTE);
    await rig.pass(2 * SECOND);
    expect((await rig.told()).firing).toEqual([]);
  });
});

describe("a text in parts", () => {
  const long = "ż🐢".repeat(150_000);

  it("is read as it was written, whole, by its holder and by others", async () => {
    const { documents } = rig.feed.log;
    const held = await PartedText.claim("x", "me", documents);
    expect(held.text).toBeUndefined();
    await held.save(long);
    expect(await readPartedText("x", documents)).toBe(long);
    await held.save("short");
    await held.save(`${long}!`);
    expect((await PartedText.claim("x", "me", documents)).text).toBe(`${long}!`);
  });

  it("stays as it was where its next version was not written to its end, or by who holds it no more", async () => {
    const { documents } = rig.feed.log;
    const first = await PartedText.claim("x", "first", documents);
    await first.save(long);
    const second = await PartedText.claim("x", "second", documents);
    await expect(first.save(`${long}?`)).rejects.toMatchObject({ code: "FENCED" });
    expect(second.text).toBe(long);
    expect(await readPartedText("x", documents)).toBe(long);
    const parts = await documents.list("x/");
    await PartedText.claim("x", "third", documents);
    expect((await documents.list("x/")).length).toBeLessThan(parts.length);
  });
});

describe("whoever is told", () => {
  const config = (name: string, fingerprint = "1"): RepeatedConfig => ({
    name,
    line: 1,
    settings: alertmanagerSettingsSchema.parse({ type: "alertmanager", urls: ["http://am:9093"] }),
    fingerprint,
  });

  it("hears of what is new at once, of all that fires each minute, and of an end for five minutes", async () => {
    const { sent } = rig.destination("am");
    rig.begin(RULES, [config("am")]);
    await rig.pass(2 * SECOND);
    expect(sent.splice(0)).toEqual([["all"]]);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    expect(sent.splice(0)).toEqual([["DeploymentFailed firing"]]);
    await rig.pass(2 * MINUTE);
    const each = ["all", "DeploymentFailed firing"];
    expect(sent.splice(0)).toEqual([each, each]);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(SECOND);
    expect(sent.splice(0)).toEqual([["DeploymentFailed resolved"]]);
    await rig.pass(8 * MINUTE);
    const whole = sent.map((names) => names.join());
    expect(whole.slice(0, 4)).toEqual(Array(4).fill("all,DeploymentFailed resolved"));
    expect(whole.slice(-2)).toEqual(["all", "all"]);
  });

  it("that does not answer is tried again, and hears then what it missed, an end too", async () => {
    const destination = rig.destination("am");
    const { alerting } = rig.begin(RULES, [config("am")]);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(5 * SECOND);
    destination.answer = { outcome: "retry", reason: "connection refused" };
    await rig.pass(3 * MINUTE);
    expect(alerting.describe("alerts")).toMatchObject({
      condition: "stale",
      reason: "am is not told: connection refused",
    });
    expect((await rig.list()).destinations).toMatchObject([
      { name: "am", target: "http://alerts.example", state: "circuit-open", reason: "connection refused" },
    ]);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(8 * MINUTE);
    destination.answer = { outcome: "ok" };
    destination.sent.length = 0;
    await rig.pass(2 * MINUTE);
    expect(destination.sent[0]).toEqual(["all", "DeploymentFailed resolved"]);
    expect((await rig.list()).destinations).toMatchObject([{ state: "ok", reason: null }]);
  });

  it("is told everything anew by who takes over, and never of the end of what fires again", async () => {
    const { sent } = rig.destination("am");
    const first = rig.begin(RULES, [config("am")]);
    await rig.pass(SECOND);
    for (const Status of ["failed", "cancelled", "failed"]) {
      await rig.put("deployments", { Status });
      await rig.pass(2 * SECOND);
    }
    first.stop.abort();
    await rig.clock.finish(first.ending);
    sent.length = 0;
    rig.begin(RULES, [config("am")]);
    await rig.pass(2 * SECOND);
    expect(sent).toEqual([["all", "DeploymentFailed firing"]]);
  });

  it("hears only of alerts that its settings mean, and of their ends", async () => {
    const settings = { type: "alertmanager", urls: ["http://am:9093"], rules: ["Deployment*"] };
    const filter = 'State == "firing" and resource.job == web';
    const wanted = { ...config("am"), settings: alertmanagerSettingsSchema.parse({ ...settings, filter }) };
    const { sent } = rig.destination("am");
    rig.begin(RULES, [wanted]);
    await rig.pass(2 * SECOND);
    await rig.put("allocations", FAILED);
    await rig.pass(90 * SECOND);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(SECOND);
    const heard = sent.filter((names) => names.join() !== "all");
    expect(heard).toEqual([["DeploymentFailed firing"], ["DeploymentFailed resolved"]]);
  });

  it("is another one after a change of the configuration, and goes on where it is the same", async () => {
    const { alerting } = rig.begin(RULES, [config("stays"), config("goes")]);
    await rig.pass(SECOND);
    const [stays, goes, comes] = ["stays", "goes", "comes"].map((name) => rig.destination(name).sent);
    alerting.configure({
      alerts: { rules: RULES },
      alertDestinations: [config("stays"), config("comes")],
      routes: [],
    });
    await rig.pass(SECOND);
    expect([stays, goes, comes]).toEqual([[["all"]], [["all"]], [["all"]]]);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    expect([stays?.length, goes?.length, comes?.length]).toEqual([2, 1, 2]);
  });
});

describe("people", () => {
  const slack = (name: string, more: object = {}): ToldConfig => ({
    name,
    line: 1,
    settings: slackSettingsSchema.parse({ type: "slack", webhook: "env:HOOK", ...more }),
    fingerprint: "1",
  });
  const route = (settings: object) => routeSchema.parse({ to: "ops", groupWait: "10s", ...settings });

  it("are told once, after the group's wait, of its end, and again where it still fires after so long", async () => {
    const { messages } = rig.person("ops");
    rig.begin(RULES, [slack("ops")], [route({ groupInterval: "1m", repeatInterval: "1h" })]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(8 * SECOND);
    expect(messages).toEqual([]);
    await rig.pass(4 * SECOND);
    expect(messages).toEqual(["DeploymentFailed firing"]);
    await rig.pass(30 * MINUTE);
    expect(messages).toHaveLength(1);
    await rig.pass(31 * MINUTE);
    expect(messages).toEqual(Array(2).fill("DeploymentFailed firing"));
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(2 * MINUTE);
    expect(messages.slice(2)).toEqual(["DeploymentFailed resolved"]);
  });

  it("are told of what is new though the clock was three hours ahead when they were told last", async () => {
    const { messages } = rig.person("ops");
    rig.begin(
      RULES,
      [slack("ops")],
      [route({ groupBy: ["namespace"], groupInterval: "1m", repeatInterval: "1h" })],
    );
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(15 * SECOND);
    expect(messages).toEqual(["DeploymentFailed firing"]);
    rig.clock.set(-180 * MINUTE);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(10 * MINUTE);
    expect((await rig.told()).firing).toEqual([]);
    expect(messages.slice(1)).toEqual(["DeploymentFailed resolved"]);
  });

  it("are told nothing twice by who takes over, who remembers what the former was asked to", async () => {
    const person = rig.person("ops");
    person.answer = { outcome: "ok", remember: { ts: "1" } };
    const first = rig.begin(RULES, [slack("ops")], [route({ groupInterval: "1s" })]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(15 * SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    rig.begin(RULES, [slack("ops")], [route({ groupInterval: "1s" })]);
    await rig.pass(MINUTE);
    expect(person.messages).toEqual(["DeploymentFailed firing"]);
    await rig.put("deployments", { Status: "cancelled" });
    await rig.pass(10 * SECOND);
    expect(person.messages.slice(1)).toEqual(['DeploymentFailed resolved, {"ts":"1"}']);
  });

  it.each([
    ["began to look", 0],
    ["saved what it knew", 40 * SECOND],
  ])("hear nothing of a kill soon after somebody %s, and neither does who asks", async (_, msBefore) => {
    const { messages } = rig.person("ops");
    const begin = () => rig.begin(RULES, [slack("ops")], [route({ groupWait: "1s", groupInterval: "1s" })]);
    begin();
    await rig.pass(SECOND + msBefore);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(5 * SECOND);
    const { alerts } = await rig.list();
    begin();
    await rig.pass(MINUTE);
    expect(messages).toEqual(["DeploymentFailed firing"]);
    expect((await rig.list()).alerts).toEqual(alerts);
  });

  it("hear of the end also where who told them of the beginning died before he knew that they heard", async () => {
    const person = rig.person("ops");
    const begin = () => rig.begin(RULES, [slack("ops")], [route({ groupWait: "1s", groupInterval: "1s" })]);
    person.answer = new Promise(() => undefined);
    begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(3 * SECOND);
    expect(person.messages).toEqual(["DeploymentFailed firing"]);
    person.answer = { outcome: "ok" };
    await rig.put("deployments", { Status: "cancelled" });
    begin();
    await rig.pass(10 * SECOND);
    expect(person.messages.slice(1)).toEqual(["DeploymentFailed resolved"]);
    await rig.pass(MINUTE);
    expect(person.messages).toHaveLength(2);
  });

  it("know under another name of the configuration what they were told before", async () => {
    const first = rig.begin(RULES, [slack("ops")], [route({})]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(15 * SECOND);
    first.stop.abort();
    await rig.clock.finish(first.ending);
    rig.begin(RULES, [slack("team", { formerName: "ops" })], [route({ to: "team" })]);
    await rig.pass(MINUTE);
    expect([rig.person("ops").messages, rig.person("team").messages]).toEqual([
      ["DeploymentFailed firing"],
      [],
    ]);
  });

  it("who cannot be told are told later, and one who never takes a message holds up nothing", async () => {
    const [away, refuses] = [rig.person("away"), rig.person("refuses")];
    away.answer = { outcome: "retry", reason: "timeout" };
    refuses.answer = { outcome: "refused", why: "poison", reason: "no_text" };
    rig.begin(RULES, [slack("away"), slack("refuses")], [route({ to: ["away", "refuses"] })]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(5 * MINUTE);
    expect(refuses.messages).toHaveLength(1);
    expect((await rig.list()).destinations).toMatchObject([
      { name: "away", state: "circuit-open", reason: "timeout" },
      { name: "refuses", state: "ok", reason: "no_text" },
    ]);
    away.answer = { outcome: "ok" };
    const tries = away.messages.length;
    expect(tries).toBeGreaterThan(2);
    await rig.pass(10 * MINUTE);
    expect(away.messages.slice(tries)).toEqual(["DeploymentFailed firing"]);
  });

  it("are told though another destination cannot be opened, which is tried again", async () => {
    for (const name of ["badly", "worse"]) rig.broken.add(name);
    const settings = alertmanagerSettingsSchema.parse({ type: "alertmanager", urls: ["http://am:9093"] });
    rig.begin(RULES, [slack("badly"), { ...slack("worse"), settings }, slack("well")]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(MINUTE);
    expect(rig.person("well").messages).toEqual(["DeploymentFailed firing"]);
    rig.broken.clear();
    await rig.pass(2 * MINUTE);
    expect(rig.person("badly").messages).toEqual(["DeploymentFailed firing"]);
    expect(rig.destination("worse").sent[0]).toEqual(["all", "DeploymentFailed firing"]);
  });

  it("are all told of everything without routes, and nothing of what is silenced", async () => {
    const matchers = { rules: ["Deployment*"] };
    const [startsAt, endsAt] = ["2026-08-22T00:00:00Z", "2026-08-23T00:00:00Z"];
    rig.silences = [{ id: "1", matchers, startsAt, endsAt, comment: "", createdBy: "me" }];
    rig.begin(RULES, [slack("a"), slack("b")]);
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(MINUTE);
    expect(rig.person("a").messages).toEqual([]);
    rig.silences = [];
    await rig.pass(MINUTE);
    for (const name of ["a", "b"]) expect(rig.person(name).messages).toEqual(["DeploymentFailed firing"]);
  });
});
