import { expect, test } from "vitest";
import { createSimulator } from "../../packages/nomad-simulator/src/index.ts";
import { jobMetricsText, parseJobMetrics } from "../../src/alerts/job-metrics/document.ts";
import { JobMetricsFold, OTHER } from "../../src/alerts/job-metrics/fold.ts";
import { FoldedEvent } from "../../src/alerts/model/folded-event.ts";
import { pickFrom } from "../support/alert-cluster.ts";
import { changeOf } from "../support/event-fixtures.ts";
import { plainCounts, type Seen } from "../support/job-metrics-truth.ts";
import { loggedEvents } from "../support/logged-events.ts";

const EVERYTHING = 1_000_000;
const told = new Set<string>();

/** A fold that is killed now and then, and goes on from what it had written down as JSON. */
function killedFold(maxJobs: number, seed: number) {
  const pick = pickFrom(seed);
  let fold = new JobMetricsFold(maxJobs);
  let kills = 0;
  return {
    get fold() {
      return fold;
    },
    get kills() {
      return kills;
    },
    take(entry: Seen, sequence: number): void {
      const change = changeOf(entry.resource, entry.before, entry.after);
      for (const event of loggedEvents(change, entry.at, sequence)) fold.apply(new FoldedEvent(event));
      if (pick(10) > 0) return;
      kills += 1;
      fold = new JobMetricsFold(maxJobs, parseJobMetrics(jobMetricsText(fold.state)));
    },
  };
}

/** From an empty cluster on, seen now and then: what an object was then, and what it was at the time before. */
function lived(seed: number): { entries: Seen[]; now: number } {
  const pick = pickFrom(seed);
  let now = Date.parse("2026-11-29T03:00:00Z");
  const simulator = createSimulator({
    seed,
    allocations: 40,
    nodes: 5,
    namespaces: ["qa"],
    clock: () => now,
  });
  const { journal } = simulator;
  const entries: Seen[] = [];
  for (let poll = 0, position = 0; poll < 200; poll += 1) {
    for (let step = pick(5); step > 0; step -= 1) {
      now += pick(20_000);
      simulator.churn(1);
    }
    const fresh = journal.entries.slice(position);
    position = journal.entries.length;
    for (const all of Map.groupBy(
      fresh,
      ({ resource, key, namespace }) => `${resource} ${namespace} ${key}`,
    ).values()) {
      const [first, last] = [all[0], all.at(-1)];
      if (first === undefined || last === undefined || first.before === last.after) continue;
      const { resource, namespace, key, after } = last;
      entries.push({ resource, namespace, key, at: now, before: first.before, after });
    }
  }
  return { entries, now };
}

test.each([1, 2, 3])(
  "counts what a plain count over what was seen does, whoever was killed (seed %i)",
  (seed) => {
    const { entries, now } = lived(seed);
    const [all, few] = [killedFold(EVERYTHING, seed), killedFold(3, seed)];
    for (const [position, entry] of entries.entries()) {
      all.take(entry, position + 1);
      few.take(entry, position + 1);
    }
    const [truth, counted] = [plainCounts(entries, now), all.fold.counts(now)];
    expect(rounded(counted)).toEqual(rounded(truth));
    expect(all.kills).toBeGreaterThan(10);
    for (const counts of truth.jobs.values()) for (const name of namesOf(counts)) told.add(name);
    for (const counts of truth.nodes.values()) for (const name of namesOf(counts)) told.add(name);

    const { jobs } = few.fold.counts(now);
    expect(jobs.size).toBeLessThanOrEqual(4);
    expect(jobs.get(OTHER)?.groups.get(OTHER)?.restarts).toBeGreaterThan(0);
  },
);

test("and each of them was more than nothing", () => {
  const names = [
    "restarts",
    "oomKills",
    "failedAllocations",
    "reschedules",
    "successful",
    "failed",
    "cancelled",
  ];
  const times = ["durationSum", "blockedSeconds", "lastSuccess", "downSeconds", "drainSeconds"];
  expect([...told]).toEqual(expect.arrayContaining([...names, ...times]));
});

/** Names of the numbers that are not 0. */
function namesOf(value: unknown): string[] {
  return Object.entries(value instanceof Map ? Object.fromEntries(value) : (value ?? {})).flatMap(
    ([name, inner]) => {
      if (typeof inner === "number") return inner > 0 ? [name] : [];
      return typeof inner === "object" ? namesOf(inner) : [];
    },
  );
}

/** Sums of the same parts in another order differ in their last digits. */
function rounded(counts: {
  jobs: ReadonlyMap<string, unknown>;
  nodes: ReadonlyMap<string, unknown>;
}): unknown {
  return JSON.parse(
    JSON.stringify(counts, (_name, value: unknown) => {
      if (value instanceof Map) return Object.fromEntries(value);
      return typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
    }),
  );
}
