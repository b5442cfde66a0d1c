import { beforeEach, describe, expect, test } from "vitest";
import type { FeedLog } from "../../src/feed/log.ts";
import { draft } from "../support/drafts.ts";
import { job, START_MS, type LogContext } from "./log-context.ts";

export function registerHistory(t: LogContext): void {
  describe("history", () => {
    const sequences = async (query: Partial<Parameters<FeedLog["history"]>[0]>) =>
      (await t.log.history({ order: "oldest-first", limit: 100, ...query })).map((entry) => entry.sequence);

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
    ] as const)("%j", async (query, expected) => {
      expect(await sequences(query)).toEqual(expected);
    });

    test("asks for what to include of what matches, and of nothing else", async () => {
      const asked: number[] = [];
      const includes = ({ sequence }: { sequence: number }) => asked.push(sequence) > 1;
      const scan = t.log.scanHistory({
        resource: "allocations",
        namespace: "default",
        order: "oldest-first",
        includes,
      });
      const found: number[] = [];
      for await (const batch of scan) found.push(...batch.map((entry) => entry.sequence));
      expect([asked, found]).toEqual([[2, 5], [5]]);
    });

    test("gives the same entries as reading, and forgets what was trimmed", async () => {
      expect(await t.log.history({ order: "oldest-first", limit: 100 })).toEqual(await t.readAll());
      await t.log.trim({ maxEvents: 2 });
      expect(await sequences({ signal: "allocation.failed" })).toEqual([5]);
      expect(await sequences({ job: "web" })).toEqual([5]);
    });
  });
}
