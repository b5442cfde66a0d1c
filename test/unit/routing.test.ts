import { describe, expect, test } from "vitest";
import { isMuted } from "../../src/routing/mute.ts";
import { onTheWay, plan, told, type GroupState, type Notification } from "../../src/routing/notifications.ts";
import { routesOf, routeTree } from "../../src/routing/tree.ts";
import type { AlertJson } from "../../src/schemas/alert-schema.ts";
import { routeSchema, silenceSchema, type Silence } from "../../src/schemas/routes.ts";

const BEGIN = Date.parse("2026-11-29T03:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const iso = (ms: number) => new Date(ms).toISOString();

function alert(job: string, fields: Partial<AlertJson> = {}): AlertJson {
  return {
    id: `JobFailing,namespace=prod,job=${job}`,
    rule: "JobFailing",
    severity: "ERROR",
    state: "firing",
    labels: { namespace: "prod", job },
    summary: `${job} fails`,
    details: {},
    count: 1,
    startsAt: iso(BEGIN),
    firedAt: iso(BEGIN),
    endsAt: null,
    reason: null,
    beganMeanwhile: false,
    isKept: false,
    lastEventAt: null,
    evidence: [],
    page: null,
    ...fields,
  };
}

/** As users write them. */
const treeOf = (...given: object[]) => routeTree(given.map((route) => routeSchema.parse(route)));

/** A destination that takes what it is sent, and a clock. */
class Receiver {
  now = BEGIN;
  tree: ReturnType<typeof treeOf>;
  firing: AlertJson[] = [];
  ended: AlertJson[] = [];
  silences: Silence[] = [];
  groups: GroupState[] = [];
  readonly got: string[] = [];

  constructor(...routes: object[]) {
    this.tree = treeOf(...routes);
  }

  /** Plans whenever something is due until the time has passed, and takes what is planned. */
  pass(ms: number): this {
    const end = this.now + ms;
    for (;;) {
      const { notifications, nextAt } = this.plan();
      for (const notification of notifications) this.take(notification);
      const next = notifications.length > 0 ? this.plan().nextAt : nextAt;
      if (next === undefined || next > end) break;
      this.now = next;
    }
    this.now = end;
    return this;
  }

  plan() {
    const { tree, firing, ended, silences, now } = this;
    const planned = plan(this.groups, { tree, firing, ended, silences, now });
    this.groups = [...planned.groups];
    return planned;
  }

  take(notification: Notification): void {
    const { group, firing, resolved, isRepeat } = notification;
    const jobs = (alerts: readonly AlertJson[]) => alerts.map(({ labels }) => labels["job"]).join("+");
    const minutes = (this.now - BEGIN) / MINUTE;
    this.got.push(
      `${minutes}m ${group.destination}: ${isRepeat ? "still " : ""}${jobs(firing)}|${jobs(resolved)}`,
    );
    this.groups = told(this.groups, notification, this.now);
  }

  resolve(job: string): this {
    const own = this.firing.filter(({ labels }) => labels["job"] === job);
    this.firing = this.firing.filter((one) => !own.includes(one));
    this.ended.push(...own.map((one) => ({ ...one, state: "resolved" as const, endsAt: iso(this.now) })));
    return this;
  }
}

describe("the tree", () => {
  const tree = treeOf(
    { where: { namespace: "sandbox" }, to: "none" },
    { minSeverity: "FATAL", to: "pager", continue: true },
    {
      to: "ops",
      groupWait: "1m",
      routes: [{ where: { job: ["payments-*", "!payments-test"] }, to: "payments" }],
    },
  );
  const destinations = (one: AlertJson) => routesOf(tree, one).routes.flatMap(({ to }) => to);

  test("takes the first route that is meant, its children before itself, and goes on where it says so", () => {
    expect(destinations(alert("web"))).toEqual(["ops"]);
    expect(destinations(alert("payments-api"))).toEqual(["payments"]);
    expect(destinations(alert("payments-test"))).toEqual(["ops"]);
    expect(destinations(alert("web", { severity: "FATAL" }))).toEqual(["pager", "ops"]);
    expect(destinations(alert("web", { labels: { namespace: "sandbox" } }))).toEqual([]);
  });

  test("tells nobody where a route within says so, whatever is around it", () => {
    const inner = treeOf({ to: "ops", routes: [{ where: { job: "noisy" }, to: "none" }] });
    expect(routesOf(inner, alert("noisy")).routes).toEqual([]);
    expect(routesOf(inner, alert("web")).routes).toMatchObject([{ to: ["ops"] }]);
  });

  test("says why an alert does not go a way", () => {
    expect(routesOf(tree, alert("web")).steps).toEqual([
      { route: "0", mismatch: "namespace prod is none of sandbox" },
      { route: "1", mismatch: "severity ERROR is below FATAL" },
      { route: "2", mismatch: undefined },
      { route: "2.0", mismatch: "job web is none of payments-*, !payments-test" },
    ]);
  });

  test("takes the filter language, with what an alert has", () => {
    const goes = (filter: string, one = alert("web")) =>
      routesOf(treeOf({ to: "ops", filter }), one).routes.length;
    expect(goes('Rule == "JobFailing" and resource.job == "web" and severity == "ERROR"')).toBe(1);
    expect(goes('resource.namespace != "prod" or resource.group is not empty')).toBe(0);
    const killed = alert("web", { details: { why: "1 × exit code 137, out of memory" } });
    expect(goes('Details.why contains "out of memory" and Labels.job matches "^we"', killed)).toBe(1);
    expect(routesOf(treeOf({ to: "ops", filter: "Count != 1" }), killed).steps[0]?.mismatch).toBe(
      "not Count != 1",
    );
    expect(() => treeOf({ to: "ops", filter: 'resource.jobs == "a"' })).toThrow("resource has no member");
  });

  test("hands down what a route does not say", () => {
    expect(routesOf(tree, alert("payments-api")).routes).toMatchObject([
      { id: "2.0", groupWaitMs: MINUTE, groupIntervalMs: 5 * MINUTE, repeatIntervalMs: 4 * HOUR },
    ]);
  });
});

describe("a destination", () => {
  test("is told of a group together, of what changed, of what still fires, and of the end", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "namespace" });
    receiver.firing = [alert("a")];
    receiver.pass(10 * SECOND);
    receiver.firing.push(alert("b"));
    receiver.pass(MINUTE);
    expect(receiver.got.splice(0)).toEqual(["0.5m ops: a+b|"]);
    receiver.firing.push(alert("c"));
    receiver.resolve("a").pass(10 * MINUTE);
    expect(receiver.got.splice(0)).toEqual(["5.5m ops: b+c|a"]);
    receiver.pass(5 * HOUR);
    expect(receiver.got.splice(0)).toEqual(["245.5m ops: still b+c|"]);
    receiver.resolve("b").resolve("c").pass(HOUR);
    expect(receiver.got).toEqual([`${(receiver.now - BEGIN) / MINUTE - 60}m ops: |b+c`]);
    expect(receiver.groups).toEqual([]);
  });

  test("hears nothing of what ends before it was told", () => {
    const receiver = new Receiver({ to: "ops" });
    receiver.firing = [alert("a")];
    receiver
      .pass(20 * SECOND)
      .resolve("a")
      .pass(HOUR);
    expect(receiver.got).toEqual([]);
  });

  test("hears of a flapping alert once in each interval", () => {
    const receiver = new Receiver({ to: "ops" });
    for (let time = 0; time < 60; time++) {
      receiver.firing = [alert("a", { startsAt: iso(receiver.now) })];
      receiver
        .pass(30 * SECOND)
        .resolve("a")
        .pass(30 * SECOND);
    }
    expect(receiver.got.length).toBeLessThanOrEqual(12);
  });

  test("is told again until it took it, also by another process", () => {
    const receiver = new Receiver({ to: "ops", groupWait: "0s" });
    receiver.firing = [alert("a")];
    const [first] = receiver.plan().notifications;
    expect(first?.firing).toHaveLength(1);
    receiver.groups = JSON.parse(JSON.stringify(receiver.groups)) as GroupState[];
    receiver.now += MINUTE;
    const [again] = receiver.plan().notifications;
    expect(again?.firing).toEqual(first?.firing);
    if (again !== undefined) receiver.take(again);
    expect(receiver.plan().notifications).toEqual([]);
  });

  test("is not told that something ended because the routes changed", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "namespace" });
    receiver.firing = [alert("a")];
    receiver.pass(MINUTE);
    receiver.tree = treeOf({ where: { job: "z" }, to: "other" }, { to: "ops", groupBy: "namespace" });
    receiver.pass(HOUR);
    receiver.tree = treeOf({ to: "ops", groupBy: "job" });
    receiver.pass(HOUR);
    expect(receiver.got).toEqual(["0.5m ops: a|"]);
    receiver.tree = treeOf({ to: "other", where: { job: "z" } });
    receiver.resolve("a").pass(MINUTE);
    expect(receiver.got.at(-1)).toBe("121m ops: |a");
  });

  test("hears nothing twice where alerts are grouped otherwise, and of what is new in the new groups", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "namespace" });
    receiver.firing = [alert("a"), alert("b")];
    receiver.pass(MINUTE);
    receiver.tree = treeOf({ to: "ops", groupBy: "job", repeatInterval: "2h" });
    receiver.pass(HOUR);
    receiver.firing.push(alert("c"));
    receiver.pass(MINUTE);
    expect(receiver.got.splice(0)).toEqual(["0.5m ops: a+b|", "61.5m ops: c|"]);
    receiver.pass(HOUR);
    expect(receiver.got.splice(0)).toEqual(["120.5m ops: still a+b|"]);
    receiver
      .resolve("a")
      .resolve("c")
      .pass(10 * MINUTE);
    expect(receiver.got.toSorted()).toEqual(["125.5m ops: b|a", "122m ops: |c"].toSorted());
  });

  test("hears nothing of what is silenced, but its end where it heard of its beginning", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "job" });
    receiver.firing = [alert("a")];
    receiver.pass(MINUTE);
    const silence = { id: "s", matchers: { rules: ["Job*"] }, comment: "we know", createdBy: "ada" };
    receiver.silences = [
      silenceSchema.parse({ ...silence, startsAt: iso(receiver.now), endsAt: iso(receiver.now + 6 * HOUR) }),
    ];
    receiver.firing.push(alert("b"));
    receiver
      .pass(5 * HOUR)
      .resolve("a")
      .pass(30 * MINUTE);
    expect(receiver.got.splice(0)).toEqual(["0.5m ops: a|", "301m ops: |a"]);
    receiver.pass(2 * HOUR).pass(MINUTE);
    expect(receiver.got).toHaveLength(1);
    expect(receiver.got[0]).toContain("ops: b|");
  });

  test("that may have heard of an alert hears of it in that group, though groups are others by now", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "namespace", groupWait: "0s" });
    receiver.firing = [alert("a")];
    const [sent] = receiver.plan().notifications;
    if (sent !== undefined) receiver.groups = onTheWay(receiver.groups, sent);
    receiver.tree = treeOf({ to: "ops", groupBy: "job", groupWait: "0s" });
    const labels = receiver.plan().notifications.map(({ group }) => group.labels);
    expect(labels).toEqual([{ namespace: "prod" }]);
  });

  test("hears of what is silenced only later", () => {
    const receiver = new Receiver({ to: "ops", groupBy: "job" });
    const times = { startsAt: iso(BEGIN + HOUR), endsAt: iso(BEGIN + 2 * HOUR) };
    const silence = { id: "s", matchers: { rules: ["Job*"] }, comment: "", createdBy: "ada", ...times };
    receiver.silences = [silenceSchema.parse(silence)];
    receiver.firing = [alert("a")];
    receiver.pass(MINUTE);
    expect(receiver.got).toEqual(["0.5m ops: a|"]);
  });

  test("is left alone in a muted time, and told afterwards what it missed", () => {
    const mute = [{ from: "03:00", to: "04:00" }];
    const receiver = new Receiver({ to: "ops", groupBy: "namespace", mute });
    receiver.firing = [alert("a"), alert("b")];
    receiver
      .pass(30 * MINUTE)
      .resolve("b")
      .pass(HOUR);
    expect(receiver.got).toEqual(["60m ops: a|"]);
  });
});

describe("a muted time", () => {
  const at = (text: string) => Date.parse(text);
  const window = (given: object) => routeSchema.parse({ mute: [given] }).mute ?? [];

  test("is by the clock of its zone, through the change to summer time", () => {
    const night = window({ from: "22:00", to: "06:00", timeZone: "Europe/Berlin" });
    expect(isMuted(night, at("2026-01-15T20:59:00Z"))).toBe(false);
    expect(isMuted(night, at("2026-01-15T21:00:00Z"))).toBe(true);
    expect(isMuted(night, at("2026-07-15T20:00:00Z"))).toBe(true);
    expect(isMuted(night, at("2026-07-16T03:59:00Z"))).toBe(true);
    expect(isMuted(night, at("2026-07-16T04:00:00Z"))).toBe(false);
  });

  test("over midnight belongs to the day on which it begins", () => {
    const friday = window({ days: ["fri"], from: "22:00", to: "06:00" });
    expect(isMuted(friday, at("2026-11-27T23:00:00Z"))).toBe(true);
    expect(isMuted(friday, at("2026-11-28T05:59:00Z"))).toBe(true);
    expect(isMuted(friday, at("2026-11-27T05:59:00Z"))).toBe(false);
  });

  test("of whole days ends with them", () => {
    const weekend = window({ days: "sat,sun" });
    expect(isMuted(weekend, at("2026-11-29T23:59:00Z"))).toBe(true);
    expect(isMuted(weekend, at("2026-11-30T00:00:00Z"))).toBe(false);
  });

  test("of a zone or a time that there is not is refused", () => {
    for (const wrong of [{ timeZone: "Europe/Atlantis" }, { from: "25:00" }, { days: "someday" }]) {
      expect(routeSchema.safeParse({ mute: [wrong] }).success).toBe(false);
    }
  });
});
