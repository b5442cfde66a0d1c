import { beforeEach, describe, expect, test } from "vitest";
import { firstOf } from "../../src/feed/first-of.ts";
import type { HistoryFacts, HistoryScan } from "../../src/feed/log.ts";
import { draft } from "../support/drafts.ts";
import { job, START_MS, type LogContext } from "./log-context.ts";

export function registerHistory(t: LogContext): void {
  describe("history", () => {
    const sequences = async ({ limit = 100, ...query }: Partial<HistoryScan & { limit: number }>) =>
      (await firstOf(t.log.scanHistory({ order: "oldest-first", ...query }), limit)).map(
        ({ sequence }) => sequence,
      );

    beforeEach(async () => {
      await t.append(
        job("web"),
        draft({ key: "a1", job: "web", node: "n1", signals: ["allocation.failed"], severity: "ERROR" }),
        draft({ key: "a2", job: "db", node: "n1", namespace: "prod", op: "delete" }),
      );
      t.nowMs += 60_000;
      await t.append(
        draft({
          resource: "nodes",
          namespace: "-",
          key: "n1",
          node: "n1",
          signals: ["node.down"],
          severity: "WARN",
        }),
        draft({
          key: "a1",
          job: "web",
          node: "n2",
          signals: ["allocation.failed", "task.restarted"],
          severity: "FATAL",
        }),
        draft({ resource: null, namespace: null, key: null, op: null, aspect: null, severity: "DEBUG" }),
      );
    });

    test.each([
      [{}, [1, 2, 3, 4, 5, 6]],
      [{ key: "a1" }, [2, 5]],
      [{ resource: "nodes", key: "n1" }, [4]],
      [{ resource: "jobs", key: "n1" }, []],
      [{ resource: "allocations" }, [2, 3, 5]],
      [{ namespace: "prod" }, [3]],
      [{ namespace: "default", resource: "allocations" }, [2, 5]],
      [{ job: "web" }, [1, 2, 5]],
      [{ job: "web", namespace: "prod" }, []],
      [{ node: "n1" }, [2, 3, 4]],
      [{ node: "n1", resource: "allocations", op: "delete" }, [3]],
      [{ op: "delete" }, [3]],
      [{ op: null }, [6]],
      [{ signal: "allocation.failed" }, [2, 5]],
      [{ signal: "task.restarted" }, [5]],
      [{ signal: "allocation.failed", node: "n1" }, [2]],
      [{ signal: "node.down", key: "n1" }, [4]],
      [{ signal: "node.down", key: "a1" }, []],
      [{ minSeverity: "WARN" }, [2, 4, 5]],
      [{ minSeverity: "ERROR" }, [2, 5]],
      [{ minSeverity: "FATAL", job: "web" }, [5]],
      [{ minSeverity: "INFO" }, [1, 2, 3, 4, 5]],
      [{ minSeverity: "TRACE" }, [1, 2, 3, 4, 5, 6]],
      [{ minSeverity: "WARN", signal: "node.down" }, [4]],
      [{ after: 2, before: 5 }, [3, 4]],
      [{ job: "web", after: 1 }, [2, 5]],
      [{ sinceMs: START_MS + 1 }, [4, 5, 6]],
      [{ sinceMs: START_MS + 60_000 }, [4, 5, 6]],
      [{ untilMs: START_MS + 60_000 }, [1, 2, 3]],
      [{ untilMs: START_MS }, []],
      [{ sinceMs: START_MS + 60_001 }, []],
      [{ sinceMs: START_MS, untilMs: START_MS + 60_001, job: "web" }, [1, 2, 5]],
      [{ limit: 2 }, [1, 2]],
      [{ limit: 0 }, []],
      [{ order: "newest-first", limit: 2 }, [6, 5]],
      [{ order: "newest-first", job: "web" }, [5, 2, 1]],
      [{ order: "newest-first", signal: "allocation.failed", limit: 1 }, [5]],
      [{ order: "newest-first", minSeverity: "WARN", before: 5 }, [4, 2]],
      [{ control: "too" }, [1, 2, 3, 4, 5, 6]],
      [{ control: "too", key: "a1" }, [2, 5, 6]],
      [{ control: "too", namespace: "prod", resource: "allocations" }, [3, 6]],
      [{ control: "too", signal: "task.restarted", order: "newest-first" }, [6, 5]],
      [{ control: "too", job: "web", minSeverity: "INFO" }, [1, 2, 5]],
      [{ control: "too", op: "delete", after: 3 }, [6]],
      [{ control: "too", node: "n1", before: 6, limit: 2 }, [2, 3]],
      [{ control: "none", order: "newest-first" }, [5, 4, 3, 2, 1]],
      [{ control: "none", minSeverity: "TRACE", after: 4 }, [5]],
    ] as const)("%j", async (query, expected) => {
      expect(await sequences(query)).toEqual(expected);
    });

    test("asks of each event that matches, by what is known of it, before it is read", async () => {
      const asked: HistoryFacts[] = [];
      const found = await sequences({
        resource: "allocations",
        control: "too",
        order: "newest-first",
        includes: (facts) => asked.push(facts) > 0 && facts.sequence !== 5,
      });
      expect(found).toEqual([6, 3, 2]);
      const entries = (await t.readAll()).filter(({ sequence }) => [2, 3, 5, 6].includes(sequence));
      expect(asked.toSorted((one, other) => one.sequence - other.sequence)).toEqual(
        entries.map(({ id: _id, time: _time, json: _json, ...facts }) => expect.objectContaining(facts)),
      );
    });

    test("a log from which nobody took anything has no holes, however much retention removed", async () => {
      expect(await t.log.hasHoles()).toBe(false);
      await t.log.trim({ maxEvents: 2 });
      expect(await t.log.hasHoles()).toBe(false);
    });

    test("gives single events by their sequences, as far as they are there", async () => {
      const all = await t.readAll();
      const [, second, , , fifth] = all;
      const found = await t.log.eventsAt([5, 2, 99]);
      expect(found.toSorted((one, other) => one.sequence - other.sequence)).toEqual([second, fifth]);
      expect(await t.log.eventsAt([])).toEqual([]);
      await t.log.trim({ maxEvents: 2 });
      expect(await t.log.eventsAt([2, 5])).toEqual([fifth]);
    });

    test("gives the same entries as reading, and forgets what was trimmed", async () => {
      expect(await t.log.history({ order: "oldest-first", limit: 100 })).toEqual(await t.readAll());
      await t.log.trim({ maxEvents: 2 });
      expect(await sequences({ signal: "allocation.failed" })).toEqual([5]);
      expect(await sequences({ job: "web" })).toEqual([5]);
    });

    test("the first change of each object in a range is found by looking at few events and at many", async () => {
      const namespaces = ["default", "prod"];
      const parts = (["jobs", "allocations"] as const).flatMap((resource) =>
        namespaces.map((namespace) => ({ resource, namespace })),
      );
      // The same keys everywhere; more of them than are asked at once.
      const refs = parts.flatMap((part) =>
        Array.from({ length: 60 + 100 }, (_, n) => ({ ...part, key: `k${n}` })),
      );
      const events = Array.from({ length: 21_000 }, (_, n) => refs[(n * 7919) % refs.length]).filter(
        (ref) => ref !== undefined,
      );
      for (let at = 0; at < events.length; at += 500)
        await t.append(...events.slice(at, at + 500).map((ref) => draft(ref)));
      const { sequence } = await t.log.head();
      const written = await firstOf(t.log.scanHistory({ order: "oldest-first", control: "none" }), sequence);
      for (const query of [
        { after: 6, before: sequence + 1 },
        { after: 100, before: sequence - 100, resource: "jobs", namespace: "prod" },
        { after: sequence - 300, before: sequence },
        { after: 6, before: sequence, key: "k7" },
      ] as const) {
        const found = new Map<string, number>();
        for await (const changes of t.log.firstChanges(query))
          for (const { resource, namespace, key, sequence: at } of changes) {
            const name = `${resource}/${namespace}/${key}`;
            if (!found.has(name)) found.set(name, at);
          }
        const expected = new Map<string, number>();
        for (const { resource, namespace, key, sequence: at } of written) {
          const name = `${resource}/${namespace}/${key}`;
          const isAsked =
            at > query.after &&
            at < query.before &&
            (!("resource" in query) || (resource === query.resource && namespace === query.namespace)) &&
            (!("key" in query) || key === query.key);
          if (isAsked && !expected.has(name)) expected.set(name, at);
        }
        expect(found).toEqual(expected);
        expect(found.size).toBeGreaterThan(0);
      }
    });
  });
}
