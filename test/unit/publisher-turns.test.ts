import { expect, it } from "vitest";
import { Turns } from "../../src/publishers/fanout/turns.ts";

function work(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it("lets others run between slices of many turns, and keeps their order", async () => {
  const turns = new Turns();
  const done: (number | string)[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    turns.take(() => {
      work(1);
      done.push(turn);
    });
  }
  setImmediate(() => done.push("others"));
  await new Promise<void>((resolve) => turns.take(resolve));
  expect(done.filter((entry) => entry !== "others")).toEqual(Array.from({ length: 20 }, (_, turn) => turn));
  expect(done.indexOf("others")).toBeLessThan(20);
});

it("lets those that go last have a part of the time, and everybody else the rest", async () => {
  const turns = new Turns();
  const done: string[] = [];
  let over = false;
  const last = () => {
    work(3);
    done.push("last");
    if (!over) turns.takeLast(last);
  };
  turns.takeLast(last);
  turns.takeLast(last);
  for (let turn = 0; turn < 60; turn += 1) {
    await new Promise<void>((resolve) => turns.take(resolve));
    work(1);
    done.push("first");
  }
  over = true;
  await new Promise<void>((resolve) => turns.takeLast(resolve));
  const lasts = done.lastIndexOf("first");
  const during = done.slice(0, lasts).filter((who) => who === "last").length;
  expect(during).toBeGreaterThan(0);
  expect(during).toBeLessThan(20);
  expect(done.join()).not.toContain("last,last,first");
});

it("gives those that go last their turns where nobody else has any", async () => {
  const turns = new Turns();
  let done = 0;
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise<void>((resolve) =>
      turns.takeLast(() => {
        work(2);
        done += 1;
        resolve();
      }),
    );
  }
  expect(done).toBe(5);
});

it("gives a turn that is asked for in a turn after those that waited before", async () => {
  const turns = new Turns();
  const done: string[] = [];
  turns.take(() => {
    done.push("first");
    turns.take(() => done.push("first again"));
  });
  turns.take(() => done.push("second"));
  await new Promise<void>((resolve) => turns.take(() => turns.take(resolve)));
  expect(done).toEqual(["first", "second", "first again"]);
});
