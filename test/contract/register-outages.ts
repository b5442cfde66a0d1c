import { describe, expect, test } from "vitest";
import { draft } from "../support/drafts.ts";
import { job, JOBS, type LogContext } from "./log-context.ts";

export function registerOutages(t: LogContext): void {
  describe("an outage", () => {
    const told = (what: string) => draft({ resource: null, op: null, id: `0/feed/scope.${what}@1` });
    const begins = { from: null, to: "one", event: told("stale") };
    const ends = { from: "one", to: null, event: told("recovered") };

    test("is told of in the sequence, and lasts until it is called over, also over a restart", async () => {
      expect(await t.log.outage()).toBeNull();
      await t.append(job("a"));
      expect(await t.log.tellOutage(begins)).toBe(2);
      const again = await t.under.reopen();
      expect(await again.outage()).toBe("one");
      expect(await (await t.under.reader()).outage()).toBe("one");
      expect(await again.tellOutage(ends)).toBe(3);
      expect(await again.outage()).toBeNull();
      expect((await t.readAll(again)).map(({ id }) => id)).toEqual([
        job("a").id,
        "0/feed/scope.stale@1",
        "0/feed/scope.recovered@1",
      ]);
    });

    test("is told of once, whoever wants to", async () => {
      const other = { from: null, to: "two", event: told("stale") };
      const sequences = await Promise.all([t.log.tellOutage(begins), t.log.tellOutage(other)]);
      expect(sequences.toSorted()).toEqual([1, undefined]);
      const outage = await t.log.outage();
      expect(await t.log.tellOutage({ ...ends, from: "another" })).toBeUndefined();
      expect(await t.log.outage()).toBe(outage);
      expect(await t.readAll()).toHaveLength(1);
    });

    test("takes its place among the commits of a claim, wakes who waits, and is counted", async () => {
      const claim = await t.log.claim(JOBS, "me");
      await t.log.commit(t.chunk(claim, { events: [job("a")] }));
      const before = await t.log.bytes();
      const waiting = t.log.waitBeyond(1, { timeoutMs: 30_000 });
      await t.log.tellOutage(begins);
      expect(await waiting).toBe(true);
      expect(await t.log.bytes()).toBeGreaterThan(before);
      expect(
        await t.log.commit(t.chunk({ ...claim, rev: 1 }, { events: [job("b"), job("c")] })),
      ).toMatchObject({ first: 3, last: 4 });
    });
  });
}
