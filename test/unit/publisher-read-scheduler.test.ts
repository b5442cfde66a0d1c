import { expect, it } from "vitest";
import { readInSlices, ReadScheduler, type ReadTask } from "../../src/publishers/work/read-scheduler.ts";
import { TestClock } from "../support/test-clock.ts";

const clock = new TestClock();

async function workInSlices(task: ReadTask, pieces: number, onPiece: () => void = () => undefined) {
  for (let piece = 0; piece < pieces; piece += 1) {
    if (task.isOver) await task.nextSlice();
    clock.pass(1);
    onPiece();
  }
}

it("gives one reader a slice in each turn of the event loop, however many there are", async () => {
  const reads = new ReadScheduler({ maxWorkMs: 1000, clock });
  const perTurn: Set<number>[] = [new Set()];
  let isOver = false;
  const countTurns = () => {
    perTurn.push(new Set());
    if (!isOver) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  await Promise.all(
    Array.from({ length: 5 }, async (_, reader) =>
      workInSlices(await reads.begin(), 10, () => perTurn.at(-1)?.add(reader)),
    ),
  );
  isOver = true;
  expect(Math.max(...perTurn.map(({ size }) => size))).toBe(1);
});

it("serves readers in turns, so that none waits for another's end", async () => {
  const reads = new ReadScheduler({ maxWorkMs: 1000, clock });
  const ended: string[] = [];
  const read = async (name: string, pieces: number) => {
    await workInSlices(await reads.begin(), pieces);
    ended.push(name);
  };
  await Promise.all([read("long", 60), read("short", 3)]);
  expect(ended).toEqual(["short", "long"]);
});

it("ends work that costs more than it may, by name", async () => {
  const reads = new ReadScheduler({ maxWorkMs: 20, clock });
  const task = await reads.begin();
  await expect(workInSlices(task, 1000)).rejects.toMatchObject({ code: "TOO_COSTLY", retryable: false });
});

it("ends where nobody waits for it any more", async () => {
  const gone = new AbortController();
  const reads = new ReadScheduler({ maxWorkMs: 1000, clock });
  const task = await reads.begin(gone.signal);
  gone.abort(new Error("gone"));
  await expect(workInSlices(task, 1000)).rejects.toThrow("gone");
  await expect(reads.begin(gone.signal)).rejects.toThrow("gone");
});

it("counts what is worked, not what is waited for", async () => {
  const reads = new ReadScheduler({ maxWorkMs: 20, clock });
  const task = await reads.begin();
  clock.pass(3);
  const waiting = task.waitFor(() => clock.sleep(50));
  await clock.finish(waiting);
  clock.pass(4);
  expect(task.workedMs).toBe(7);
});

it("counts what a source does at once, and lets go of the source", async () => {
  const reads = new ReadScheduler({ maxWorkMs: 20, clock });
  let isReleased = false;
  async function* source() {
    try {
      for (;;) {
        clock.pass(5);
        yield [];
      }
    } finally {
      isReleased = true;
    }
  }
  const task = await reads.begin();
  const got: unknown[] = [];
  const all = (async () => {
    for await (const batch of readInSlices(task, source())) got.push(batch);
  })();
  await expect(all).rejects.toMatchObject({ code: "TOO_COSTLY" });
  expect(got).toHaveLength(4);
  expect(isReleased).toBe(true);
});
