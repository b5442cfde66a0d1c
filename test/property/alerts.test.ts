import { expect, test } from "vitest";
import { RuleSet } from "../../src/alerts/rules/rule-set.ts";
import { RULES } from "../../src/alerts/rules/table.ts";
import { rules } from "../../src/alerts/rules/user-rules.ts";
import { alertsSchema } from "../../src/schemas/alert-rules.ts";
import { AlertCluster, pickFrom } from "../support/alert-cluster.ts";
import { HOUR, MINUTE } from "../support/alert-feed.ts";
import { expectedAlerts, type TruthSettings } from "../support/alert-truth.ts";

/** Counted for so long that something is counted at most quiet moments. The launches that the simulator makes up have no order. */
const SETTINGS: TruthSettings = {
  flapping: { atLeast: 2, withinMs: HOUR },
  oomWithinMs: HOUR,
  nodeFlapping: { atLeast: 2, withinMs: 6 * HOUR },
  drainLongerThanMs: 30 * MINUTE,
};
const OVERRIDES = {
  JobFlapping: { atLeast: 2, within: "1h" },
  OomKilled: { within: "1h" },
  NodeFlapping: { atLeast: 2, within: "6h" },
  NodeDrainSlow: { longerThan: "30m" },
  JobOverdue: "off",
};

const ROUNDS = 16;

const told = new Map<string, number>();

test.each([4, 5, 6])(
  "at every quiet moment what fires is what the cluster's state says, whoever was killed before (seed %i)",
  (seed) => {
    const { rules: all, problems } = rules(RULES, alertsSchema.parse({ rules: OVERRIDES }).rules);
    expect(problems).toEqual([]);
    const cluster = new AlertCluster(new RuleSet(all), seed);
    const pick = pickFrom(seed);
    for (let round = 0; round < ROUNDS; round++) {
      cluster.live(pick(40));
      // Longer than any rule waits or keeps firing.
      cluster.rest((11 + pick(15)) * MINUTE);
      const { tables } = cluster.simulator.cluster.state;
      const expected = expectedAlerts(tables, cluster.happenings, SETTINGS, cluster.now);
      expect(cluster.firing, `round ${round}`).toEqual(expected);
      const [fold, twin] = cluster.compared();
      expect(fold, `round ${round}`).toEqual(twin);
      for (const name of expected) told.set(name.slice(0, name.indexOf(" ")), 1 + (told.get(name) ?? 0));
      if (pick(6) === 0) cluster.reseed();
    }
    expect(cluster.kills).toBeGreaterThan(20);
  },
);

test("and that is every rule that speaks of the cluster", () => {
  const quiet = RULES.filter(({ on, name }) => on !== "scope" && name !== "JobOverdue").map(
    ({ name }) => name,
  );
  expect([...told.keys()].toSorted()).toEqual(quiet.toSorted());
});
