import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STANDING_ASSIGNMENTS, type Coordination } from "../../src/coordination/coordination.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { planOf, TestHolder } from "../support/assignment-holders.ts";
import { TestClock } from "../support/test-clock.ts";
import { untilBy } from "../support/until.ts";

/** Opens what one process coordinates with, by itself. */
export type OpenCoordination = (options: { clock: Clock }) => Promise<Coordination>;

/** What passes each time a test asks whether it is so far: some of a round, and of a rest. */
const STEP_MS = 200;

/** What every way to give out assignments must do for a process that is alone. */
export function coordinationContract(name: string, open: OpenCoordination): void {
  describe(`${name}: coordination`, () => {
    const clock = new TestClock(Date.now());
    const until = untilBy(clock, STEP_MS);
    let coordination: Coordination;
    let holder: TestHolder;
    let stop: AbortController;
    let running: Promise<void>;

    beforeEach(async () => {
      coordination = await open({ clock });
      holder = new TestHolder();
      stop = new AbortController();
      running = coordination.run(holder, stop.signal);
      await does();
    });
    afterEach(async () => {
      stop.abort(new Error("end of test"));
      await running;
      await coordination[Symbol.asyncDispose]();
    });
    /** Besides the standing ones. */
    const does = (...assignments: string[]) =>
      until(
        `doing ${assignments.join(", ")}`,
        () => holder.assignments.join() === [...STANDING_ASSIGNMENTS, ...assignments].toSorted().join(),
      );

    test("what is announced is done, and what is announced no more ends", async () => {
      await coordination.announce(planOf(3));
      await does("jobs/n1", "jobs/n2", "jobs/n3");
      expect([...(holder.plan ?? [])]).toEqual([...planOf(3)]);
      await coordination.announce(planOf(1));
      await does("jobs/n1");
      await coordination.announce(planOf(2));
      await does("jobs/n1", "jobs/n2");
      expect(holder.begun.filter((assignment) => assignment === "jobs/n1")).toHaveLength(1);
    });

    test("what is to be finished is done until it is done", async () => {
      holder.endings.set("jobs/gone", "drained");
      await coordination.announce(new Map([...planOf(1), ["jobs/gone", "finish"]]));
      await does("jobs/n1");
      await until("it was finished", () => holder.begun.includes("jobs/gone"));
      await coordination.announce(planOf(2));
      await does("jobs/n1", "jobs/n2");
    });

    test("what fails, or ends though it is planned, is begun again", async () => {
      holder.endings.set("jobs/n1", new Error("no luck")).set("jobs/n2", "drained");
      await coordination.announce(planOf(2));
      await until("both were begun", () =>
        ["jobs/n1", "jobs/n2"].every((assignment) => holder.begun.includes(assignment)),
      );
      holder.endings.clear();
      await does("jobs/n1", "jobs/n2");
    });

    test("all assignments are told of, with who does them, since when, and how they go", async () => {
      await coordination.announce(planOf(1));
      await does("jobs/n1");
      const found = await until("it is told", async () => {
        const statuses = await coordination.statuses();
        return (
          statuses.every(({ state }) => state === "held") &&
          statuses.length === STANDING_ASSIGNMENTS.length + 1 &&
          statuses
        );
      });
      expect(found).toContainEqual(
        expect.objectContaining({
          assignment: "jobs/n1",
          condition: "ok",
          objects: 3,
          worker: expect.any(String),
        }),
      );
      const ages = found.map(({ since }) => clock.now() - Date.parse(since ?? ""));
      expect(Math.max(...ages)).toBeLessThan(60_000);
      expect(Math.min(...ages)).toBeGreaterThan(-1000);
    });

    test("ends with what it does", async () => {
      await coordination.announce(planOf(2));
      await does("jobs/n1", "jobs/n2");
      stop.abort(new Error("the end"));
      await running;
      expect(holder.assignments).toEqual([]);
    });
  });
}
