import { expect, it } from "vitest";
import { Reader } from "../../src/publishers/delivery/reader.ts";
import { Batch } from "../../src/publishers/fanout/batch.ts";
import type { LogEntry } from "../../src/schemas/draft.ts";
import { entryOf } from "../support/drafts.ts";
import { TestClock } from "../support/test-clock.ts";

const EPOCH = "reg100";
const START = { cursor: { epoch: EPOCH, sequence: 0 }, recordedAt: null };

/** A reader who wants nodes, with a ring and turns that the test deals out. */
function readerOf() {
  const batches: Batch[] = [];
  const turns: (() => void)[] = [];
  const passed: number[] = [];
  let tell = (): void => undefined;
  const deps = {
    ring: {
      join: (onNews: () => void) => {
        tell = onNews;
        return () => undefined;
      },
      next: ({ sequence }: { sequence: number }) => batches.find(({ last }) => last > sequence),
    },
    scheduler: { schedule: (turn: () => void) => void turns.push(turn), scheduleLast: () => undefined },
    log: {},
    clock: new TestClock(),
  } as unknown as ConstructorParameters<typeof Reader>[2];
  const reader = new Reader(
    START,
    { types: ["nodes"] },
    deps,
    ({ cursor }) => void passed.push(cursor.sequence),
  );
  const news = (sequence: number, resource: LogEntry["resource"]) => {
    const type = resource === "nodes" ? "nomad.node.updated" : "nomad.job.updated";
    const entry = entryOf({ sequence, resource, type, op: "update" });
    batches.push(new Batch({ epoch: EPOCH, sequence: sequence - 1 }, [entry]));
    tell();
  };
  return { reader, turns, passed, news };
}

/** What waits on promises alone has its turn. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

it("tells how far it passed over what it does not want, and answers when something comes that it wants", async () => {
  const { reader, turns, passed, news } = readerOf();
  const answer = reader.next(new AbortController().signal);
  await settled();
  news(1, "jobs");
  news(2, "jobs");
  expect(passed).toEqual([1, 2]);
  expect(turns).toEqual([]);
  news(3, "nodes");
  await settled();
  turns[0]?.();
  expect(await answer).toMatchObject({ entries: [{ sequence: 3 }], from: { cursor: { sequence: 2 } } });
});

it("passes over nothing while an answer of its is not dealt with", async () => {
  const { reader, turns, passed, news } = readerOf();
  const { signal } = new AbortController();
  const answer = reader.next(signal);
  await settled();
  news(1, "nodes");
  await settled();
  turns[0]?.();
  news(2, "jobs");
  expect(passed).toEqual([]);
  expect(await answer).toMatchObject({ entries: [{ sequence: 1 }], place: { cursor: { sequence: 1 } } });
  expect(await reader.next(signal)).toMatchObject({ entries: [], place: { cursor: { sequence: 2 } } });
});
