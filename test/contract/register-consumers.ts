import { describe, expect, test } from "vitest";
import type { LogContext } from "./log-context.ts";

export function registerConsumers(t: LogContext): void {
  describe("consumers", () => {
    test("keep their cursor, and a name nobody stored has none", async () => {
      await t.appendMany(3);
      const { epoch } = await t.log.head();
      t.nowMs += 5000;
      const stored = await t.log.consumers.put("audit", { epoch, sequence: 2 });
      expect(stored).toEqual({
        name: "audit",
        cursor: { epoch, sequence: 2 },
        updatedAt: expect.stringMatching(/^2026-08-22T10:00:05/),
        lastError: null,
        owner: null,
      });
      expect(await t.log.consumers.get("audit")).toEqual(stored);
      expect(await t.log.consumers.get("other")).toBeUndefined();
    });

    test("never move backwards unless rewound", async () => {
      const { epoch } = await t.log.head();
      await t.log.consumers.put("audit", { epoch, sequence: 5 });
      expect(await t.log.consumers.put("audit", { epoch, sequence: 3 })).toMatchObject({
        cursor: { sequence: 5 },
      });
      expect(await t.log.consumers.put("audit", { epoch: "zzzzzz", sequence: 9 })).toMatchObject({
        cursor: { epoch, sequence: 5 },
      });
      expect(await t.log.consumers.put("audit", { epoch, sequence: 3 }, { rewind: true })).toMatchObject({
        cursor: { sequence: 3 },
      });
      expect(await t.log.consumers.get("audit")).toMatchObject({ cursor: { sequence: 3 } });
    });

    test("come from an older epoch into the feed's own", async () => {
      const { epoch } = await t.log.head();
      await t.log.consumers.put("audit", { epoch: "zzzzzz", sequence: 900 });
      expect(await t.log.consumers.put("audit", { epoch, sequence: 1 })).toMatchObject({
        cursor: { epoch, sequence: 1 },
      });
    });

    test("remember their last error until the next success", async () => {
      const { epoch } = await t.log.head();
      const cursor = { epoch, sequence: 0 };
      await t.log.consumers.put("hook", cursor, { lastError: "503 from example.com" });
      expect(await t.log.consumers.get("hook")).toMatchObject({ lastError: "503 from example.com" });
      await t.log.consumers.put("hook", cursor);
      expect(await t.log.consumers.get("hook")).toMatchObject({ lastError: null });
    });

    test("are as they were after a cursor that is no newer, their time included", async () => {
      const { epoch } = await t.log.head();
      const stored = await t.log.consumers.put("audit", { epoch, sequence: 5 });
      t.nowMs += 5000;
      for (const sequence of [5, 3]) {
        expect(await t.log.consumers.put("audit", { epoch, sequence })).toEqual(stored);
      }
      expect(await t.log.consumers.get("audit")).toEqual(stored);
      expect(await t.log.consumers.put("audit", { epoch, sequence: 6 })).toMatchObject({
        updatedAt: "2026-08-22T10:00:05.000Z",
      });
    });

    describe("of owners", () => {
      const ann = { owner: "token ann", manages: false };
      const bob = { owner: "token bob", manages: false };
      const boss = { owner: "token boss", manages: true };
      const taken = { code: "CONSUMER_TAKEN", message: 'The consumer "audit" is not this token\'s' };
      const at = (sequence: number) => ({ epoch: "abc123", sequence });
      const ownerOf = async (consumer: string) => (await t.log.consumers.get(consumer))?.owner;

      test("belong to who made them, also after a restart", async () => {
        expect(await t.log.consumers.put("audit", at(1), { by: ann })).toMatchObject({ owner: "token ann" });
        t.log = await t.under.reopen();
        await expect(t.log.consumers.put("audit", at(9), { by: bob })).rejects.toMatchObject(taken);
        await expect(t.log.consumers.remove("audit", bob)).rejects.toMatchObject(taken);
        expect(await t.log.consumers.get("audit")).toMatchObject({ cursor: at(1), owner: "token ann" });
        expect(await t.log.consumers.list()).toMatchObject([{ owner: "token ann" }]);
        expect(await t.log.consumers.put("audit", at(2), { by: ann })).toMatchObject({ cursor: at(2) });
        expect(await t.log.consumers.remove("audit", ann)).toBe(true);
        expect(await t.log.consumers.put("audit", at(1), { by: bob })).toMatchObject({ owner: "token bob" });
      });

      test("are moved and removed by who manages, and stay whose they are", async () => {
        await t.log.consumers.put("audit", at(1), { by: ann });
        expect(await t.log.consumers.put("audit", at(3), { by: boss })).toMatchObject({
          cursor: at(3),
          owner: "token ann",
        });
        expect(await t.log.consumers.put("audit", at(4))).toMatchObject({ owner: "token ann" });
        expect(await t.log.consumers.remove("audit", boss)).toBe(true);
        expect(await t.log.consumers.put("audit", at(1), { by: boss })).toMatchObject({
          owner: "token boss",
        });
        await expect(t.log.consumers.put("audit", at(2), { by: ann })).rejects.toMatchObject(taken);
      });

      test("that nobody owns become theirs who use them first, and only who manages removes them", async () => {
        await t.log.consumers.put("audit", at(1));
        await t.log.consumers.put("audit", at(2), { by: boss });
        expect(await ownerOf("audit")).toBeNull();
        await expect(t.log.consumers.remove("audit", bob)).rejects.toMatchObject(taken);
        // Where it is already: nothing moves, and it is theirs all the same.
        await t.log.consumers.put("audit", at(2), { by: ann });
        expect(await ownerOf("audit")).toBe("token ann");
        await expect(t.log.consumers.put("audit", at(3), { by: bob })).rejects.toMatchObject(taken);
        await t.log.consumers.put("other", at(1));
        expect(await t.log.consumers.remove("other", boss)).toBe(true);
        expect(await t.log.consumers.remove("other", ann)).toBe(false);
      });

      test("are as many as one may have, and as there may be", async () => {
        const limits = { ofOwner: 2, total: 3 };
        const put = (consumer: string, by = ann) => t.log.consumers.put(consumer, at(1), { by, limits });
        await put("a1");
        await put("a2");
        await expect(put("a3")).rejects.toMatchObject({
          code: "CONSUMERS_FULL",
          message: "This token has 2 consumers already",
        });
        await put("b1", bob);
        await expect(put("b2", bob)).rejects.toMatchObject({
          code: "CONSUMERS_FULL",
          message: "There are 3 consumers already",
        });
        expect((await t.log.consumers.list()).map((consumer) => consumer.name)).toEqual(["a1", "a2", "b1"]);
        await t.log.consumers.put("a1", at(5), { by: ann, limits });
        await t.log.consumers.remove("a2", ann);
        await put("a4");
        expect(await t.log.consumers.get("a1")).toMatchObject({ cursor: at(5) });
      });
    });

    test("are listed by name and can be removed", async () => {
      const { epoch } = await t.log.head();
      for (const consumer of ["b", "a"]) await t.log.consumers.put(consumer, { epoch, sequence: 0 });
      expect((await t.log.consumers.list()).map((consumer) => consumer.name)).toEqual(["a", "b"]);
      expect(await t.log.consumers.remove("a")).toBe(true);
      expect(await t.log.consumers.remove("a")).toBe(false);
      expect(await t.log.consumers.list()).toHaveLength(1);
    });
  });
}
