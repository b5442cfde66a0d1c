import { expect, test } from "vitest";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import { plan, told, type GroupState } from "../../src/routing/notifications.ts";
import { routeTree } from "../../src/routing/tree.ts";
import { routeSchema } from "../../src/schemas/routes.ts";
import { AlertFeed, HOUR, MINUTE, SECOND } from "../support/alert-feed.ts";
import { taskOf } from "../support/event-fixtures.ts";
import { whole } from "../support/whole-text.ts";

const TREE = routeTree([routeSchema.parse({ to: "ops" })]);

/** Alerts on their way to a destination, with one look every ten seconds. */
class Watched {
  readonly feed = new AlertFeed();
  groups: GroupState[] = [];
  readonly got: string[] = [];

  pass(ms: number): this {
    const end = this.feed.now + ms;
    while (this.feed.now < end) {
      this.feed.pass(10 * SECOND);
      this.#look();
    }
    return this;
  }

  /** Another process goes on from what was kept. */
  failOver(): this {
    const { feed } = this;
    feed.fold = new AlertFold(feed.rules, decode(whole(encoding(feed.fold.state, Number.POSITIVE_INFINITY))));
    this.groups = JSON.parse(JSON.stringify(this.groups)) as GroupState[];
    return this;
  }

  #look(): void {
    const { firing, resolved: ended, now } = this.feed;
    const { notifications, groups } = plan(this.groups, { tree: TREE, firing, ended, silences: [], now });
    this.groups = [...groups];
    for (const notification of notifications) {
      const names = (alerts: typeof notification.firing) => alerts.map(({ rule }) => rule).join("+");
      this.got.push(`${names(notification.firing)}|${names(notification.resolved)}`);
      this.groups = told(this.groups, notification, now);
    }
  }
}

test("a job that flaps for eight hours is told of once in each repeat interval, and once that it is over", () => {
  const watched = new Watched();
  watched.feed.put("allocations", { TaskStates: { nginx: taskOf() } });
  for (let Restarts = 1; Restarts <= 8 * 60; Restarts++) {
    watched.feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts }) } });
    watched.pass(MINUTE);
  }
  expect(watched.got).toEqual(["JobFlapping|", "JobFlapping|"]);
  expect(watched.pass(HOUR).got.at(-1)).toBe("|JobFlapping");
});

test("a job that fails and recovers for seven hours is told of once in each repeat interval, and once that it is over", () => {
  const watched = new Watched();
  for (let time = 0; time < 7 * 6; time++) {
    const ID = `5456bd7a-9fc0-c0dd-6131-${String(time).padStart(12, "0")}`;
    watched.feed.put("allocations", { ID, ClientStatus: "failed" });
    watched.pass(5 * MINUTE);
    watched.feed.put("allocations", { ID, DesiredStatus: "stop" });
    watched.pass(5 * MINUTE);
  }
  expect(watched.got).toEqual(["JobFailing|", "JobFailing|"]);
  expect(watched.pass(HOUR).got.slice(2)).toEqual(["|JobFailing"]);
});

test("a failover in the middle of a group loses none and says nothing twice", () => {
  const watched = new Watched();
  watched.feed.put("allocations", { ClientStatus: "failed" });
  watched.pass(70 * SECOND).failOver();
  expect(watched.got).toEqual([]);
  watched.pass(MINUTE).failOver().pass(HOUR);
  expect(watched.got).toEqual(["JobFailing|"]);
  watched.feed.put("allocations", { DesiredStatus: "stop" });
  watched.failOver().pass(HOUR);
  expect(watched.got).toEqual(["JobFailing|", "|JobFailing"]);
});
