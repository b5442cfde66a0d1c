import { describe, expect, test } from "vitest";
import { draft } from "../support/drafts.ts";
import { job, JOBS, jobRef, objects, START_MS, type LogContext } from "./log-context.ts";

export function registerRetention(t: LogContext): void {
  describe("trim", () => {
    test("keeps the newest events and says how many went; state stays", async () => {
      await t.poll(
        JOBS,
        "1",
        Array.from({ length: 1000 }, (_, n) => jobRef(`job-${n}`)),
      );
      expect(await t.log.trim({ maxEvents: 100 })).toEqual({ floor: 900, removed: 900 });
      expect(await t.log.head()).toMatchObject({ sequence: 1000, floor: 900 });
      expect((await t.readAll()).map((entry) => entry.sequence)).toEqual(
        Array.from({ length: 100 }, (_, n) => n + 901),
      );
      expect(await objects(t.log.loadState(JOBS))).toHaveLength(1000);
    });

    test("goes by the bytes of the events, which the log says", async () => {
      await t.poll(JOBS, "1", [jobRef("web"), jobRef("db")]);
      const lengths = (await t.readAll()).map(({ json }) => Buffer.byteLength(json));
      const [first = 0, ...others] = lengths;
      expect(await t.log.bytes()).toBe(lengths.reduce((sum, each) => sum + each, 0));
      const left = (await t.log.bytes()) - first;
      await t.log.trim({ maxBytes: left });
      expect(await t.log.bytes()).toBe(left);
      expect(await (await t.under.reader()).bytes()).toBe(others.reduce((sum, each) => sum + each, 0));
    });

    test("does nothing within the limits", async () => {
      expect(await t.log.trim({ maxEvents: 0 })).toEqual({ floor: 0, removed: 0 });
      await t.appendMany(3);
      expect(await t.log.trim({})).toEqual({ floor: 0, removed: 0 });
      const roomy = { maxEvents: 3, maxBytes: 1e9, recordedBeforeMs: START_MS - 1000 };
      expect(await t.log.trim(roomy)).toEqual({ floor: 0, removed: 0 });
    });

    test("by age", async () => {
      await t.appendMany(4);
      t.nowMs += 10_000;
      await t.appendMany(2);
      expect(await t.log.trim({ recordedBeforeMs: t.nowMs - 10_000 })).toEqual({ floor: 0, removed: 0 });
      t.nowMs += 1;
      expect(await t.log.trim({ recordedBeforeMs: t.nowMs - 10_000 })).toEqual({ floor: 4, removed: 4 });
    });

    test("by bytes, what was cut from events included", async () => {
      await t.append(...Array.from({ length: 20 }, () => draft({ bytes: 1000, overflow: "x".repeat(1000) })));
      const { floor } = await t.log.trim({ maxBytes: 10_000 });
      expect(floor).toBeGreaterThanOrEqual(14);
      expect(floor).toBeLessThanOrEqual(16);
      expect(await t.log.overflow(floor)).toBeUndefined();
      expect(await t.log.overflow(floor + 1)).toBeDefined();
    });

    test("by whichever limit is exceeded first", async () => {
      await t.appendMany(10);
      expect(await t.log.trim({ maxEvents: 8, recordedBeforeMs: START_MS - 1e9, maxBytes: 1e9 })).toEqual({
        floor: 2,
        removed: 2,
      });
    });

    test("but nothing after the sequence that is to be kept", async () => {
      await t.appendMany(10);
      t.nowMs += 1;
      const limits = { maxEvents: 1, maxBytes: 1, recordedBeforeMs: t.nowMs };
      expect(await t.log.trim({ ...limits, keepAfter: 0 })).toEqual({ floor: 0, removed: 0 });
      expect(await t.log.trim({ ...limits, keepAfter: 4 })).toEqual({ floor: 4, removed: 4 });
      expect(await t.log.trim({ ...limits, keepAfter: 2 })).toEqual({ floor: 4, removed: 0 });
      expect(await t.log.trim({ maxEvents: 5, keepAfter: 99 })).toEqual({ floor: 5, removed: 1 });
      expect((await t.readAll()).map(({ sequence }) => sequence)).toEqual([6, 7, 8, 9, 10]);
    });

    test("of everything leaves a log that goes on counting, also after a restart", async () => {
      await t.appendMany(5);
      expect(await t.log.trim({ maxEvents: 0 })).toEqual({ floor: 5, removed: 5 });
      expect(await t.readAll()).toEqual([]);
      t.log = await t.under.reopen();
      expect(await t.log.head()).toMatchObject({ sequence: 5, floor: 5 });
      expect(await t.append(job("next"))).toMatchObject({ first: 6, last: 6 });
      expect((await t.readAll()).map((entry) => entry.sequence)).toEqual([6]);
    });

    test("goes on beside commits", async () => {
      await t.poll(
        JOBS,
        "1",
        Array.from({ length: 1500 }, (_, n) => jobRef(`job-${n}`)),
      );
      const trimming = t.log.trim({ maxEvents: 500 });
      await t.appendMany(10);
      await trimming;
      const { floor, sequence } = await t.log.head();
      expect(sequence).toBe(1510);
      expect(floor).toBeGreaterThanOrEqual(1000);
      expect(await t.readAll()).toHaveLength(sequence - floor);
    });

    test("leaves the rest for the next time when its signal aborts", async () => {
      await t.appendMany(1500);
      const stop = new AbortController();
      const trimming = t.log.trim({ maxEvents: 0 }, { signal: stop.signal });
      stop.abort();
      const { floor, removed } = await trimming;
      expect(floor).toBe(removed);
      expect(floor).toBeLessThan(1500);
      expect(await t.readAll()).toHaveLength(1500 - floor);
      expect(await t.log.trim({ maxEvents: 0 })).toEqual({ floor: 1500, removed: 1500 - removed });
    });
  });
}
