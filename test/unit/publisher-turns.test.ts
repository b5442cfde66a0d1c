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
