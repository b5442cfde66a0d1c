import { expect, it } from "vitest";
import { FairScheduler } from "../../src/publishers/fanout/fair-scheduler.ts";

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it("lets others run between slices of many turns, and keeps their order", async () => {
  const scheduler = new FairScheduler();
  const done: (number | string)[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    scheduler.schedule(() => {
      work(1);
      done.push(turn);
    });
  }
  setImmediate(() => done.push("others"));
  await new Promise<void>((resolve) => scheduler.schedule(resolve));
  expect(done.filter((entry) => entry !== "others")).toEqual(Array.from({ length: 20 }, (_, turn) => turn));
  expect(done.indexOf("others")).toBeLessThan(20);
});

it("lets those that go last have a part of the time, and everybody else the rest", async () => {
  const scheduler = new FairScheduler();
  const done: string[] = [];
  let over = false;
  const last = () => {
    work(3);
    done.push("last");
    if (!over) scheduler.scheduleLast(last);
  };
  scheduler.scheduleLast(last);
  scheduler.scheduleLast(last);
  for (let turn = 0; turn < 60; turn += 1) {
    await new Promise<void>((resolve) => scheduler.schedule(resolve));
    work(1);
    done.push("first");
  }
  over = true;
  await new Promise<void>((resolve) => scheduler.scheduleLast(resolve));
  const lasts = done.lastIndexOf("first");
  const during = done.slice(0, lasts).filter((who) => who === "last").length;
  expect(during).toBeGreaterThan(0);
  expect(during).toBeLessThan(20);
  expect(done.join()).not.toContain("last,last,first");
});

it("gives those that go last their turns where nobody else has any", async () => {
  const scheduler = new FairScheduler();
  let done = 0;
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise<void>((resolve) =>
      scheduler.scheduleLast(() => {
        work(2);
        done += 1;
        resolve();
      }),
    );
  }
  expect(done).toBe(5);
});

it("gives a turn that is asked for in a turn after those that waited before", async () => {
  const scheduler = new FairScheduler();
  const done: string[] = [];
  scheduler.schedule(() => {
    done.push("first");
    scheduler.schedule(() => done.push("first again"));
  });
  scheduler.schedule(() => done.push("second"));
  await new Promise<void>((resolve) => scheduler.schedule(() => scheduler.schedule(resolve)));
  expect(done).toEqual(["first", "second", "first again"]);
});
