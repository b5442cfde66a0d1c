import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RULES } from "../../src/alerts/rules/table.ts";
import { PartedText, readPartedText } from "../../src/publishers/alerting/parted-text.ts";
import type { AlertDestinationConfig } from "../../src/schemas/destinations/told.ts";
import { alertmanagerSettingsSchema } from "../../src/schemas/destinations/alertmanager.ts";
import { AlertRig } from "../support/alert-rig.ts";
import { taskOf } from "../support/event-fixtures.ts";

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

  it("takes other rules while it runs; alerts of a rule that is switched off end with that reason", async () => {
    const { alerting } = rig.begin();
    await rig.pass(SECOND);
    await rig.put("deployments", { Status: "failed" });
    await rig.put("allocations", FAILED);
    await rig.pass(2 * MINUTE);
    expect((await rig.told()).firing).toEqual(["DeploymentFailed web", "JobFailing web"]);
    alerting.configure({ rules: RULES.filter(({ name }) => name !== "DeploymentFailed") }, []);
    await rig.pass(2 * SECOND);
    expect((await rig.told()).firing).toEqual(["JobFailing web"]);
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
  const config = (name: string, fingerprint = "1"): AlertDestinationConfig => ({
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

  it("is another one after a change of the configuration, and goes on where it is the same", async () => {
    const { alerting } = rig.begin(RULES, [config("stays"), config("goes")]);
    await rig.pass(SECOND);
    const [stays, goes, comes] = ["stays", "goes", "comes"].map((name) => rig.destination(name).sent);
    alerting.configure({ rules: RULES }, [config("stays"), config("comes")]);
    await rig.pass(SECOND);
    expect([stays, goes, comes]).toEqual([[["all"]], [["all"]], [["all"]]]);
    await rig.put("deployments", { Status: "failed" });
    await rig.pass(SECOND);
    expect([stays?.length, goes?.length, comes?.length]).toEqual([2, 1, 2]);
  });
});
