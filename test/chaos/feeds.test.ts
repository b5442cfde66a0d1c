import { expect, it } from "vitest";
import { runFeedsChaos } from "../support/feeds-chaos.ts";

const RIGHT = { lost: [], duplicated: [], outOfOrder: [] };

it("several feeds in one process lose nothing, repeat nothing and keep their order, as it and Nomads are killed", async () => {
  const { feeds, merged, changes, restarts, outages, faults } = await runFeedsChaos({
    seed: 3,
    seconds: 4,
    feeds: 3,
    logs: "sqlite",
    allocations: 90,
    changesPerSecond: 60,
    giveUpAfterSeconds: 600,
    say: () => undefined,
  });
  expect([...feeds.keys()]).toEqual(["cluster-1", "cluster-2-eu", "cluster-2-us"]);
  for (const [name, verdict] of feeds)
    expect([name, verdict]).toEqual([name, expect.objectContaining(RIGHT)]);
  expect(merged).toMatchObject(RIGHT);
  expect(changes).toBeGreaterThan(100);
  expect(restarts + outages + faults).toBeGreaterThan(0);
});
