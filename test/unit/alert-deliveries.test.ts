import { afterEach, beforeEach, expect, it } from "vitest";
import { RULES } from "../../src/alerts/rules/table.ts";
import type { ToldConfig } from "../../src/schemas/destinations/told.ts";
import { alertmanagerSettingsSchema } from "../../src/schemas/destinations/alertmanager.ts";
import { slackSettingsSchema } from "../../src/schemas/destinations/slack.ts";
import { routeSchema } from "../../src/schemas/routes.ts";
import { AlertRig } from "../support/alert-rig.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ROUTES = [routeSchema.parse({ to: "ops", groupWait: "10s", groupInterval: "1s" })];
const slack = (name: string): ToldConfig => ({
  name,
  line: 1,
  settings: slackSettingsSchema.parse({ type: "slack", webhook: "env:HOOK" }),
  fingerprint: "1",
});
const alertmanager = (name: string, ...urls: string[]): ToldConfig => ({
  name,
  line: 1,
  settings: alertmanagerSettingsSchema.parse({
    type: "alertmanager",
    urls: urls.length === 0 ? ["http://am:9093"] : urls,
  }),
  fingerprint: `1${urls.join()}`,
});
const EXCHANGE = { request: "POST http://people.example", answer: "no such key", status: 401 };
const CLOSED = {
  outcome: "refused",
  why: "forbidden",
  reason: "it answered 401",
  exchange: EXCHANGE,
} as const;

let rig: AlertRig;
beforeEach(async () => {
  rig = await AlertRig.open();
  rig.readAtMs = rig.clock.now();
  await rig.put("jobs", {});
});
afterEach(() => rig[Symbol.asyncDispose]());

async function breakDeployment(): Promise<void> {
  await rig.pass(SECOND);
  await rig.put("deployments", { Status: "failed" });
}

it("says why a destination refuses, with the last attempts, what waits there, and since when it could have been told", async () => {
  rig.person("ops").answer = CLOSED;
  const { alerting } = rig.begin(RULES, [slack("ops")], ROUTES);
  await breakDeployment();
  await rig.pass(5 * SECOND);
  const about = "cluster test, region global";
  const before = await alerting.deliveries.show("ops");
  expect(before).toMatchObject({ state: "delivering", kind: "alerts", type: "slack", waiting: 1, lagMs: 0 });
  expect(before.messages).toMatchObject([{ about: `namespace default, job web, ${about}` }]);
  expect(Date.parse(before.messages?.[0]?.dueAt ?? "")).toBeGreaterThan(rig.clock.now());
  expect(before.attempts).toEqual([]);
  await rig.pass(MINUTE);
  const shown = await alerting.deliveries.show("ops");
  expect(shown).toMatchObject({
    state: "circuit-open",
    reason: "forbidden: it answered 401",
    waiting: 1,
    outcomes: { delivered: 0 },
  });
  expect(shown.lagMs).toBeGreaterThan(40 * SECOND);
  expect(shown.attempts?.[0]).toMatchObject({ outcome: "refused", events: 1, ...EXCHANGE });
  expect(shown.outcomes?.retried).toBe((shown.attempts?.length ?? 0) - 1);
  rig.person("ops").answer = { outcome: "ok" };
  await rig.pass(10 * MINUTE);
  expect(await alerting.deliveries.show("ops")).toMatchObject({
    state: "delivering",
    reason: null,
    waiting: 0,
    messages: [],
    outcomes: { delivered: 1 },
  });
});

it("leaves nothing in the metrics of a destination that was taken out, and all that was counted of one that only changed", async () => {
  const { alerting, metrics } = rig.begin(RULES, [slack("ops"), slack("gone"), alertmanager("left")], ROUTES);
  const shown = async (name: string) => {
    const lines = (await metrics.registry.metrics()).split("\n");
    return lines.filter((line) => line.includes(`destination="${name}"`));
  };
  await breakDeployment();
  await rig.pass(MINUTE);
  for (const name of ["ops", "gone", "left"]) expect((await shown(name)).length).toBeGreaterThan(0);
  const told = 'nomad_changefeed_destination_events_total{destination="ops",outcome="delivered"} 1';
  expect(await shown("ops")).toContain(told);
  const alertDestinations = [{ ...slack("ops"), fingerprint: "2" }];
  alerting.configure({ alerts: { rules: RULES }, alertDestinations, routes: ROUTES });
  await rig.pass(5 * SECOND);
  expect([...(await shown("gone")), ...(await shown("left"))]).toEqual([]);
  expect(await shown("ops")).toContain(told);
});

it("leaves nothing in the metrics of a replica that was taken out, and all that was counted of those that stay", async () => {
  const [left, stays, gone, comes] = ["http://left", "http://stays", "http://gone", "http://comes"] as const;
  const { alerting, metrics, stop, ending } = rig.begin(RULES, [alertmanager("am", left, stays, gone)]);
  const sends = async () => {
    const { values } = await metrics.destinationAttempts.get();
    return Object.fromEntries(values.map(({ labels: { destination }, value }) => [destination, value]));
  };
  await rig.pass(SECOND);
  expect(await sends()).toEqual({ [`am ${left}`]: 1, [`am ${stays}`]: 1, [`am ${gone}`]: 1 });
  const alertDestinations = [alertmanager("am", stays, comes)];
  alerting.configure({ alerts: { rules: RULES }, alertDestinations, routes: [] });
  await rig.pass(5 * SECOND);
  expect(await sends()).toEqual({ [`am ${stays}`]: 2, [`am ${comes}`]: 1 });
  stop.abort();
  await rig.clock.finish(ending);
  expect(await sends()).toEqual({ [`am ${stays}`]: 2, [`am ${comes}`]: 1 });
});

it("tells the same at a worker that does not tell alerts, but for the attempts", async () => {
  rig.person("ops").answer = CLOSED;
  const { stop, ending } = rig.begin(RULES, [slack("ops")], ROUTES);
  stop.abort();
  await rig.clock.finish(ending);
  const [idle] = rig.workers;
  expect(await idle?.alerting.deliveries.show("ops")).toMatchObject({ state: "waiting", waiting: null });
  rig.begin(RULES, [slack("ops")], ROUTES);
  await breakDeployment();
  await rig.pass(MINUTE);
  expect(await idle?.alerting.deliveries.show("ops")).toMatchObject({
    state: "circuit-open",
    reason: "forbidden: it answered 401",
    waiting: 1,
    attempts: null,
    messages: null,
  });
});

it("sends nothing to what people paused, at any worker and after a restart, and tells what changed once it is resumed", async () => {
  const first = rig.begin(RULES, [slack("ops"), alertmanager("am")], ROUTES);
  await rig.pass(SECOND);
  await first.alerting.deliveries.pause("ops", "they move");
  await first.alerting.deliveries.pause("am", null);
  rig.destination("am").sent.length = 0;
  expect(await first.alerting.deliveries.show("ops")).toMatchObject({ state: "paused", reason: "they move" });
  await breakDeployment();
  await rig.pass(MINUTE);
  first.stop.abort();
  await rig.clock.finish(first.ending);
  const second = rig.begin(RULES, [slack("ops"), alertmanager("am")], ROUTES);
  await rig.pass(MINUTE);
  expect([rig.person("ops").messages, rig.destination("am").sent]).toEqual([[], []]);
  expect(await second.alerting.deliveries.list()).toMatchObject([
    { name: "ops", state: "paused", reason: "they move", waiting: 1 },
    { name: "am", state: "paused", reason: null, waiting: 1 },
  ]);
  expect(second.alerting.describe("alerts")).toMatchObject({ condition: "ok" });
  for (const name of ["ops", "am"]) await first.alerting.deliveries.resume(name);
  await rig.pass(2 * SECOND);
  expect(rig.person("ops").messages).toEqual(["DeploymentFailed firing"]);
  expect(rig.destination("am").sent).toEqual([["all", "DeploymentFailed firing"]]);
});

it("asks at once where it is resumed with its circuit open", async () => {
  const person = rig.person("ops");
  person.answer = { outcome: "refused", why: "gone", reason: "it answered 410" };
  const { alerting } = rig.begin(RULES, [slack("ops")], ROUTES);
  await breakDeployment();
  await rig.pass(2 * MINUTE);
  const tries = person.messages.length;
  person.answer = { outcome: "ok" };
  await alerting.deliveries.resume("ops");
  await rig.pass(2 * SECOND);
  expect(person.messages).toHaveLength(tries + 1);
  expect(await alerting.deliveries.show("ops")).toMatchObject({ state: "delivering", waiting: 0 });
});

it("shows what cannot be opened, and why", async () => {
  for (const name of ["ops", "am"]) rig.broken.add(name);
  const { alerting } = rig.begin(RULES, [slack("ops"), alertmanager("am")], ROUTES);
  await rig.pass(2 * SECOND);
  for (const name of ["ops", "am"])
    expect(await alerting.deliveries.show(name)).toMatchObject({
      state: "circuit-open",
      reason: `it cannot be opened: ${name} cannot be opened`,
    });
  expect(await alerting.deliveries.test("ops")).toMatchObject({
    outcome: "refused",
    why: "config",
    reason: "it cannot be opened: ops cannot be opened",
  });
  rig.broken.clear();
  await rig.pass(2 * MINUTE);
  expect(await alerting.deliveries.list()).toMatchObject([{ state: "delivering" }, { state: "delivering" }]);
});

it("tests a destination with an alert and its end, whatever is paused, and an Alertmanager with one that ends by itself", async () => {
  const person = rig.person("ops");
  person.answer = { outcome: "ok", exchange: EXCHANGE, remember: { ts: "1" } };
  const { alerting } = rig.begin(RULES, [slack("ops"), alertmanager("am")], ROUTES);
  await rig.pass(SECOND);
  rig.destination("am").sent.length = 0;
  await alerting.deliveries.pause("ops", null);
  expect(await alerting.deliveries.test("ops")).toMatchObject({ outcome: "ok", events: 1, ...EXCHANGE });
  expect(person.messages).toEqual(["NomadChangefeedTest firing", 'NomadChangefeedTest resolved, {"ts":"1"}']);
  expect((await alerting.deliveries.show("ops")).attempts).toHaveLength(2);
  await alerting.deliveries.test("am");
  expect(rig.destination("am").sent).toEqual([["NomadChangefeedTest firing"]]);
  person.answer = CLOSED;
  expect(await alerting.deliveries.test("ops")).toMatchObject({ why: "forbidden", status: 401 });
  expect(person.messages).toHaveLength(3);
  await expect(alerting.deliveries.test("opps")).rejects.toMatchObject({ code: "NO_DELIVERY" });
});
