import { beforeEach, expect, it } from "vitest";
import { FairScheduler } from "../../src/publishers/fanout/fair-scheduler.ts";
import { TestClock } from "../support/test-clock.ts";

let clock: TestClock;
let scheduler: FairScheduler;
let done: (number | string)[];
beforeEach(() => {
  clock = new TestClock();
  scheduler = new FairScheduler(clock);
  done = [];
});

it("lets others run between slices of many turns, and keeps their order", async () => {
  for (let turn = 0; turn < 20; turn += 1) {
    scheduler.schedule(() => {
      clock.pass(1);
      done.push(turn);
    });
  }
  setImmediate(() => done.push("others"));
  await new Promise<void>((resolve) => scheduler.schedule(resolve));
  expect(done).toEqual([0, 1, 2, 3, "others", ...Array.from({ length: 16 }, (_, turn) => turn + 4)]);
});

it("lets those that go last have a fifth of the time, and everybody else the rest", async () => {
  const last = () => {
    clock.pass(3);
    done.push("last");
    scheduler.scheduleLast(last);
  };
  scheduler.scheduleLast(last);
  scheduler.scheduleLast(last);
  while (done.length < 60) {
    await new Promise<void>((resolve) => scheduler.schedule(resolve));
    clock.pass(1);
    done.push("first");
  }
  expect(done.filter((who) => who === "last")).toHaveLength(5);
  expect(done.join()).not.toContain("last,last");
});

it("gives those that go last their turns where nobody else has any", async () => {
  const beganMs = clock.elapsed();
  for (let turn = 0; turn < 5; turn += 1) {
    await clock.finish(
      new Promise<void>((resolve) =>
        scheduler.scheduleLast(() => {
          clock.pass(2);
          resolve();
        }),
      ),
    );
  }
  expect(clock.elapsed() - beganMs).toBe(5 * 2 + 4 * 8);
});

it("gives a turn that is asked for in a turn after those that waited before", async () => {
  scheduler.schedule(() => {
    done.push("first");
    scheduler.schedule(() => done.push("first again"));
  });
  scheduler.schedule(() => done.push("second"));
  await new Promise<void>((resolve) => scheduler.schedule(() => scheduler.schedule(resolve)));
  expect(done).toEqual(["first", "second", "first again"]);
});

it("gives the first slice at once, and the next one when everything else had its turn", async () => {
  setImmediate(() => done.push("others"));
  await new Promise<void>((resolve) => scheduler.schedule(resolve));
  done.push("first");
  await new Promise<void>((resolve) => scheduler.schedule(resolve));
  done.push("next");
  expect(done).toEqual(["first", "others", "next"]);
});

it("gives those that go last their turn soon after the process stood still", async () => {
  scheduler.scheduleLast(() => clock.pass(600_000));
  await clock.advance(1);
  scheduler.scheduleLast(() => done.push("last"));
  await clock.advance(2_000);
  expect(done).toEqual(["last"]);
});
