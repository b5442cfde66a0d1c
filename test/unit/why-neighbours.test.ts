import { expect, it } from "vitest";
import { EVERYTHING } from "../../src/publishers/selection/access.ts";
import { ReadScheduler } from "../../src/publishers/work/read-scheduler.ts";
import type { GatherParts } from "../../src/reads/why/gather-parts.ts";
import { Neighbours } from "../../src/reads/why/neighbours.ts";
import { refOf } from "../support/drafts.ts";
import { TestClock } from "../support/test-clock.ts";

it("looks through one kind of a job's objects after the other, as its slices of time need", async () => {
  const looked: string[] = [];
  let open = 0;
  const read: GatherParts["read"] = {
    cursor: { epoch: "e", sequence: 0 },
    entries: async function* ({ resource = "jobs" } = {}) {
      open += 1;
      looked.push(`${resource} (${open})`);
      yield [];
      yield [];
      open -= 1;
    },
  };
  const log = {
    history: async () => [],
    scanHistory: async function* () {},
    overflow: async () => undefined,
  };
  const clock = new TestClock();
  const task = await new ReadScheduler({ maxWorkMs: 1000, clock }).begin();
  const neighbours = new Neighbours({ log, read, task, access: EVERYTHING });
  await neighbours.of({ ref: refOf("jobs", "web"), stub: {}, isGone: false, events: [] });
  expect(looked).toEqual(["deployments (1)", "evaluations (1)", "allocations (1)"]);
});
