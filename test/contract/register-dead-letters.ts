import { describe, expect, test } from "vitest";
import type { Parked } from "../../src/feed/log.ts";
import { formatCursor, type Cursor } from "../../src/schemas/cursor.ts";
import { job, MAX_DEAD_LETTERS, type LogContext } from "./log-context.ts";

export function registerDeadLetters(t: LogContext): void {
  describe("dead letters", () => {
    const letter = (sequence: number, epoch = "abc123", part: Partial<Parked> = {}): Parked => ({
      cursor: { epoch, sequence },
      id: `0/jobs/default/web@${sequence}`,
      json: `{"sequence":${sequence},"name":"żółw 🐢 \\u0000"}`,
      reason: "400 from example.com: no such field",
      attempts: 3,
      ...part,
    });
    const park = async (...letters: Parked[]) => {
      for (const one of letters) await t.log.deadLetters.put("hook", one);
    };
    const cursors = async (options: { after?: Cursor; limit?: number } = {}, from = t.log) =>
      (await from.deadLetters.list("hook", { limit: 100, ...options })).map(({ cursor }) =>
        formatCursor(cursor),
      );

    test("are kept whole, in order of sequence, also over a restart and for readers", async () => {
      expect(await t.log.deadLetters.list("hook", { limit: 10 })).toEqual([]);
      expect(await t.log.deadLetters.count("hook")).toBe(0);
      t.nowMs += 5000;
      const kept = await t.log.deadLetters.put("hook", letter(7));
      expect(kept).toEqual({ ...letter(7), parkedAt: "2026-08-22T10:00:05.000Z" });
      await park(letter(12));
      t.log = await t.under.reopen();
      expect(await t.log.deadLetters.list("hook", { limit: 10 })).toEqual([
        kept,
        { ...letter(12), parkedAt: kept.parkedAt },
      ]);
      const reader = await t.under.reader();
      try {
        expect(await cursors({}, reader)).toEqual(["abc123-7", "abc123-12"]);
        expect(await reader.deadLetters.count("hook")).toBe(2);
        await expect(reader.deadLetters.put("hook", letter(13))).rejects.toMatchObject({
          code: "LOG_UNUSABLE",
          message: expect.stringContaining("reading only"),
        });
      } finally {
        await reader[Symbol.asyncDispose]();
      }
    });

    test("are not twice when put again: the first one stays", async () => {
      const first = await t.log.deadLetters.put("hook", letter(7));
      t.nowMs += 5000;
      const again = letter(7, "abc123", { reason: "gone", attempts: 9 });
      expect(await t.log.deadLetters.put("hook", again)).toEqual(first);
      await park(letter(8));
      expect(await t.log.deadLetters.put("hook", again)).toEqual(first);
      expect(await cursors()).toEqual(["abc123-7", "abc123-8"]);
      expect(await t.log.deadLetters.count("hook")).toBe(2);
    });

    test("can come in any order", async () => {
      for (const sequence of [5, 9, 7, 1, 20, 8]) await park(letter(sequence));
      await t.log.deadLetters.remove("hook", [letter(20).cursor]);
      await park(letter(10), letter(3));
      const inOrder = [1, 3, 5, 7, 8, 9, 10];
      expect(await t.log.deadLetters.list("hook", { limit: 100 })).toEqual(
        inOrder.map((sequence) => ({ ...letter(sequence), parkedAt: "2026-08-22T10:00:00.000Z" })),
      );
      await t.log.deadLetters.remove(
        "hook",
        inOrder.map((sequence) => letter(sequence).cursor),
      );
      await park(letter(2));
      expect(await cursors()).toEqual(["abc123-2"]);
    });

    test("of two epochs may have the same sequence", async () => {
      await park(letter(7, "zzz999"), letter(8, "zzz999"), letter(7, "abc123"));
      expect(await cursors()).toEqual(["abc123-7", "zzz999-7", "zzz999-8"]);
      expect(await cursors({ after: { epoch: "abc123", sequence: 7 } })).toEqual(["zzz999-7", "zzz999-8"]);
      await t.log.deadLetters.remove("hook", [{ epoch: "zzz999", sequence: 7 }]);
      expect(await cursors()).toEqual(["abc123-7", "zzz999-8"]);
    });

    test("are listed page by page, also from a letter that was removed meanwhile", async () => {
      await park(...[1, 2, 3, 4, 5].map((sequence) => letter(sequence)));
      expect(await cursors({ limit: 2 })).toEqual(["abc123-1", "abc123-2"]);
      await t.log.deadLetters.remove("hook", [letter(2).cursor]);
      expect(await cursors({ after: letter(2).cursor, limit: 2 })).toEqual(["abc123-3", "abc123-4"]);
      expect(await cursors({ after: letter(5).cursor })).toEqual([]);
      expect(await cursors({ limit: 0 })).toEqual([]);
    });

    test("are removed one by one or many at once", async () => {
      await park(letter(1), letter(2), letter(3));
      const some = [letter(1), letter(3), letter(4)].map(({ cursor }) => cursor);
      expect(await t.log.deadLetters.remove("hook", some)).toBe(2);
      expect(await t.log.deadLetters.remove("hook", some)).toBe(0);
      expect(await t.log.deadLetters.remove("hook", [])).toBe(0);
      expect(await cursors()).toEqual(["abc123-2"]);
    });

    test("belong to their consumer, and go with it", async () => {
      await t.log.deadLetters.put("hook", letter(1));
      await t.log.deadLetters.put("mail", letter(1));
      await t.log.consumers.put("hook", { epoch: "abc123", sequence: 1 });
      expect(await t.log.consumers.remove("hook")).toBe(true);
      expect(await t.log.deadLetters.count("hook")).toBe(0);
      expect(await t.log.deadLetters.count("mail")).toBe(1);
    });

    test("outlive their events in the log", async () => {
      await t.append(job("a"));
      const [event] = await t.readAll();
      const { epoch } = await t.log.head();
      const parked = letter(1, epoch, { id: event?.id ?? "", json: event?.json ?? "" });
      await park(parked);
      await t.log.trim({ maxEvents: 0 });
      expect(await t.readAll()).toEqual([]);
      expect(await t.log.deadLetters.list("hook", { limit: 10 })).toMatchObject([parked]);
    });

    test("are refused beyond the most a consumer may have, and never dropped", async () => {
      const all = Array.from({ length: MAX_DEAD_LETTERS }, (_, n) => letter(n + 1));
      await Promise.all(all.map((one) => t.log.deadLetters.put("hook", one)));
      const refusal = {
        code: "DEAD_LETTERS_FULL",
        message: expect.stringContaining(`hook has ${MAX_DEAD_LETTERS} dead letters`),
      };
      await expect(t.log.deadLetters.put("hook", letter(99_999))).rejects.toMatchObject(refusal);
      expect(await t.log.deadLetters.put("hook", letter(5))).toMatchObject(letter(5));
      expect(await t.log.deadLetters.put("mail", letter(99_999))).toMatchObject(letter(99_999));
      expect(await t.log.deadLetters.count("hook")).toBe(MAX_DEAD_LETTERS);
      expect(await cursors({ limit: 2 })).toEqual(["abc123-1", "abc123-2"]);
      await t.log.deadLetters.remove("hook", [letter(1).cursor]);
      expect(await t.log.deadLetters.put("hook", letter(99_999))).toMatchObject(letter(99_999));
    });
  });
}
