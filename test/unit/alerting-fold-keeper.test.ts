import { expect, it } from "vitest";
import { FoldKeeper } from "../../src/publishers/alerting/fold-keeper.ts";
import type { SavedFold } from "../../src/publishers/alerting/fold-text.ts";
import type { DocumentStore } from "../../src/feed/log.ts";
import { parseCursor, type Cursor } from "../../src/schemas/cursor.ts";
import { TestClock } from "../support/test-clock.ts";

/** A document that nobody has written yet. */
function documentsWith(save: DocumentStore["save"]): DocumentStore {
  const updatedAt = "2026-08-22T10:00:00Z";
  const stored = async () => ({ name: "a", owner: "b", fence: 1, text: null, updatedAt });
  return {
    claim: stored,
    change: stored,
    get: async () => undefined,
    list: async () => [],
    remove: async () => false,
    save,
  };
}

it("saves what became another while it was saved, though no event came since", async () => {
  const saved: string[] = [];
  let during = (): void => undefined;
  const documents = documentsWith(async (_name, _fence, text) => {
    saved.push(text);
    during();
  });
  const keeper = await FoldKeeper.claim("b", documents, new TestClock());
  const foldAt = (now: number): SavedFold => ({
    cursor: parseCursor("abcdefgh-1") as Cursor,
    state: { now, resumedAt: undefined, alerts: [], ended: [], model: undefined },
    jobs: undefined,
  });
  during = () => keeper.outdate();
  await keeper.save(foldAt(1));
  during = () => undefined;
  expect(keeper.isDue).toBe(true);
  await keeper.save(foldAt(2));
  expect(saved).toHaveLength(2);
});

it("saves at once what could not be saved, where it is another", async () => {
  let fails = true;
  const documents = documentsWith(async () => {
    if (fails) throw new Error("the log is away");
  });
  const keeper = await FoldKeeper.claim("b", documents, new TestClock());
  const cursor = parseCursor("abcdefgh-1") as Cursor;
  const fold = {
    cursor,
    state: { now: 1, resumedAt: undefined, alerts: [], ended: [], model: undefined },
    jobs: undefined,
  };
  keeper.outdate();
  await expect(keeper.save(fold)).rejects.toThrow("away");
  expect(keeper.isDue).toBe(true);
  fails = false;
  await keeper.save(fold);
  expect(keeper.isDue).toBe(false);
});
