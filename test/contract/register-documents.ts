import { describe, expect, test } from "vitest";
import { MAX_DOCUMENT_BYTES } from "../../src/feed/log.ts";
import type { LogContext } from "./log-context.ts";

export function registerDocuments(t: LogContext): void {
  describe("documents", () => {
    const NAME = "delivery/hook";
    const fenced = { code: "FENCED", message: expect.stringContaining(`Document ${NAME}`) };
    const held = async (owner: string, text = "one") => {
      const claimed = await t.log.documents.claim(NAME, owner);
      await t.log.documents.save(NAME, claimed.fence, text);
      return claimed.fence;
    };

    test("are empty when they are claimed first, and keep what is saved, over a restart and for readers", async () => {
      expect(await t.log.documents.get(NAME)).toBeUndefined();
      const claimed = await t.log.documents.claim(NAME, "me");
      expect(claimed).toMatchObject({ name: NAME, owner: "me", text: null });
      t.nowMs += 5000;
      const text = JSON.stringify({ said: 'żółw 🐢 \0 "quoted"' });
      await t.log.documents.save(NAME, claimed.fence, text);
      const stored = { ...claimed, text, updatedAt: "2026-08-22T10:00:05.000Z" };
      t.log = await t.under.reopen();
      expect(await t.log.documents.get(NAME)).toEqual(stored);
      expect(await t.log.documents.claim(NAME, "next")).toMatchObject({ text, owner: "next" });
      const reader = await t.under.reader();
      try {
        expect(await reader.documents.get(NAME)).toMatchObject({ text, owner: "next" });
        await expect(reader.documents.claim(NAME, "reader")).rejects.toMatchObject({
          code: "LOG_UNUSABLE",
          message: expect.stringContaining("reading only"),
        });
      } finally {
        await reader[Symbol.asyncDispose]();
      }
    });

    test("are no longer written by whom another has followed", async () => {
      const mine = await held("me");
      const { fence } = await t.log.documents.claim(NAME, "other");
      expect(fence).toBeGreaterThan(mine);
      await expect(t.log.documents.save(NAME, mine, "late")).rejects.toMatchObject(fenced);
      await expect(t.log.documents.change(NAME, mine, "late")).rejects.toMatchObject(fenced);
      expect(await t.log.documents.get(NAME)).toMatchObject({ text: "one", owner: "other" });
      await t.log.documents.save(NAME, fence, "two");
      expect(await t.log.documents.get(NAME)).toMatchObject({ text: "two", fence });
    });

    test("that somebody changes keep their owner, who meets another fence", async () => {
      const mine = await held("me");
      t.nowMs += 5000;
      const changed = await t.log.documents.change(NAME, mine, "steered");
      expect(changed).toMatchObject({
        owner: "me",
        text: "steered",
        updatedAt: "2026-08-22T10:00:05.000Z",
      });
      expect(changed.fence).toBeGreaterThan(mine);
      expect(await t.log.documents.get(NAME)).toEqual(changed);
      await expect(t.log.documents.save(NAME, mine, "two")).rejects.toMatchObject(fenced);
      await t.log.documents.save(NAME, changed.fence, "two");
      expect(await t.log.documents.get(NAME)).toMatchObject({ text: "two" });
    });

    test("are changed by one of two who saw the same", async () => {
      const seen = await held("me");
      const changes = await Promise.allSettled(
        ["a", "b"].map((text) => t.log.documents.change(NAME, seen, text)),
      );
      expect(changes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    });

    test("that are gone are not written, also not once they are there again", async () => {
      const mine = await held("me");
      expect(await t.log.documents.remove(NAME)).toBe(true);
      expect(await t.log.documents.remove(NAME)).toBe(false);
      await expect(t.log.documents.save(NAME, mine, "late")).rejects.toMatchObject(fenced);
      expect(await t.log.documents.get(NAME)).toBeUndefined();
      expect(await t.log.documents.claim(NAME, "me")).toMatchObject({ text: null });
      await expect(t.log.documents.save(NAME, mine, "late")).rejects.toMatchObject(fenced);
    });

    test("are listed by what their names begin with, in order", async () => {
      for (const name of ["delivery/b", "alerts", "delivery/a_%", "delivery", "delivery/a"]) {
        await t.log.documents.claim(name, "me");
      }
      const names = async (prefix: string) => (await t.log.documents.list(prefix)).map(({ name }) => name);
      expect(await names("delivery/")).toEqual(["delivery/a", "delivery/a_%", "delivery/b"]);
      expect(await names("delivery/a_")).toEqual(["delivery/a_%"]);
      expect(await names("")).toHaveLength(5);
      expect(await names("none")).toEqual([]);
    });

    test("are at most 1 MiB, and one that is refused stays as it was", async () => {
      const mine = await held("me");
      const most = "ż".repeat(MAX_DOCUMENT_BYTES / 2);
      for (const write of ["save", "change"] as const) {
        await expect(t.log.documents[write](NAME, mine, `${most}x`)).rejects.toMatchObject({
          code: "DOCUMENT_TOO_LARGE",
          message: expect.stringContaining(`${NAME} would have 1048577 bytes; the log keeps at most 1048576`),
        });
      }
      expect(await t.log.documents.get(NAME)).toMatchObject({ text: "one" });
      await t.log.documents.save(NAME, mine, most);
      expect((await t.log.documents.get(NAME))?.text).toBe(most);
    });

    test("do not disturb the scopes' claims", async () => {
      await t.appendMany(1);
      await held("me");
      await t.appendMany(1);
      expect(await t.readAll()).toHaveLength(2);
    });
  });
}
