import { expect, it } from "vitest";
import { decode, encoding } from "../../src/alerts/document.ts";
import { AlertFold } from "../../src/alerts/fold.ts";
import { viewOf } from "../../src/publishers/alerting/firing.ts";
import { AlertFeed, MINUTE, SECOND } from "../support/alert-feed.ts";
import { taskOf } from "../support/event-fixtures.ts";
import { whole } from "../support/whole-text.ts";

/** Restarts, failures, a node that is lost and one that is well, a deployment, and alerts that ended. */
function troubledFeed(): AlertFeed {
  const feed = new AlertFeed();
  feed.put("nodes", { Status: "down" });
  feed.put("deployments", { Status: "failed" });
  feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts: 3 }) } });
  feed.pass(MINUTE);
  feed.put("allocations", { ClientStatus: "failed" });
  feed.pass(5 * MINUTE);
  return feed;
}

it("is the state at the first step, whatever becomes of the fold before the last", () => {
  const feed = troubledFeed();
  const expected = whole(encoding(feed.fold.state, Number.POSITIVE_INFINITY));
  const steps = encoding(feed.fold.state, Number.POSITIVE_INFINITY);
  steps.next();
  feed.put("deployments", { Status: "successful" });
  feed.put("nodes", { Status: "ready" });
  feed.put("allocations", { TaskStates: { nginx: taskOf({ Restarts: 9 }) }, ClientStatus: "running" });
  feed.pass(30 * MINUTE);
  expect(whole(steps)).toBe(expected);
  const again = new AlertFold(feed.rules, decode(expected));
  const kept = whole(encoding(again.state, Number.POSITIVE_INFINITY));
  expect(JSON.parse(kept)).toEqual(JSON.parse(expected));
});

it("shows an alert as the same object for as long as the same is said of it", () => {
  const feed = troubledFeed();
  const shared = { cluster: "prod", region: "global" };
  const view = () => viewOf(feed.fold, feed.rules, shared);
  const before = view();
  expect(before.open.length).toBeGreaterThan(1);
  feed.pass(SECOND);
  expect(view().open.every((alert, place) => alert === before.open[place])).toBe(true);
  feed.put("deployments", { Status: "failed", StatusDescription: "another word" });
  const after = view();
  const changed = after.open.filter((alert, place) => alert !== before.open[place]);
  expect(changed.map(({ rule }) => rule)).toContain("DeploymentFailed");
  expect(changed.map(({ rule }) => rule)).not.toContain("NodeDown");
  const told = after.open.find(({ rule }) => rule === "DeploymentFailed");
  expect(told?.details).toMatchObject({ description: "another word" });
});
