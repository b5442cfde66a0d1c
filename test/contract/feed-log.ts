import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { everything, JOBS, jobRef, objects, START_MS, LogContext } from "./log-context.ts";
import type { OpenLog } from "./log-context.ts";
import { registerCommits } from "./register-commits.ts";
import { registerClaims } from "./register-claims.ts";
import { registerOutages } from "./register-outages.ts";
import { registerReads } from "./register-reads.ts";
import { registerHistory } from "./register-history.ts";
import { registerRetention } from "./register-retention.ts";
import { registerConsumers } from "./register-consumers.ts";
import { registerDeadLetters } from "./register-dead-letters.ts";
import { registerDocuments } from "./register-documents.ts";

/** What every log promises. The parts are in register-*.ts. */
export function feedLogContract(name: string, open: OpenLog): void {
  describe(`${name} as a feed log`, () => {
    const t = new LogContext(open);
    beforeEach(() => t.open());
    afterEach(() => t.under.dispose());

    describe("a new log", () => {
      test("is empty and has an epoch", async () => {
        const head = await t.log.head();
        expect(head).toEqual({
          epoch: expect.stringMatching(/^[a-z0-9]{6}$/),
          sequence: 0,
          floor: 0,
          nomadEpoch: 0,
        });
        expect(await t.readAll()).toEqual([]);
        expect(await t.log.scopes()).toEqual([]);
        expect(await t.log.consumers.list()).toEqual([]);
      });

      test("keeps its epoch, events, state, scopes and consumers over a restart", async () => {
        await t.poll(JOBS, "10", [jobRef("web")]);
        await t.log.consumers.put("audit", await t.earliest());
        const before = await everything(t.log);
        t.log = await t.under.reopen();
        expect(await everything(t.log)).toEqual(before);
      });
    });

    test("times tells the log's clock, and when the oldest and the newest event were recorded", async () => {
      expect(await t.log.times()).toEqual({ nowMs: START_MS, oldestMs: null, newestMs: null });
      await t.appendMany(2);
      t.nowMs += 10_000;
      await t.appendMany(2);
      t.nowMs += 5;
      const newestMs = START_MS + 10_000;
      expect(await t.log.times()).toEqual({ nowMs: t.nowMs, oldestMs: START_MS, newestMs });
      await t.log.trim({ maxEvents: 1 });
      expect(await t.log.times()).toEqual({ nowMs: t.nowMs, oldestMs: newestMs, newestMs });
    });

    test("a closed log says so", async () => {
      const claim = await t.log.claim(JOBS, "me");
      await t.log[Symbol.asyncDispose]();
      await t.log[Symbol.asyncDispose]();
      await expect(t.log.head()).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(t.log.commit(t.chunk(claim))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(objects(t.log.loadState(JOBS))).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
      await expect(t.log.deadLetters.count("hook")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    });

    registerCommits(t);
    registerClaims(t);
    registerOutages(t);
    registerReads(t);
    registerHistory(t);
    registerRetention(t);
    registerConsumers(t);
    registerDeadLetters(t);
    registerDocuments(t);
  });
}
