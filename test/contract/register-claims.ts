import { describe, expect, test } from "vitest";
import { NO_NOTES, type ScopeNotes } from "../../src/feed/log.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { objectChange } from "../support/drafts.ts";
import { ALL_JOBS, ALLOCATIONS, job, JOBS, jobRef, NODES, PROD, type LogContext } from "./log-context.ts";

export function registerClaims(t: LogContext): void {
  describe("claim", () => {
    test("tells a new scope that it was never read", async () => {
      const claim = await t.log.claim(JOBS, "me");
      expect(claim).toEqual({
        scope: JOBS,
        fence: expect.any(Number),
        rev: 0,
        baselined: false,
        checkpoint: null,
        borrowed: false,
        notes: NO_NOTES,
      });
    });

    test("hands over what the owner before had to remember, and the Nomad epoch it had begun", async () => {
      const notes: ScopeNotes = {
        resync: { reason: "index went back", nomadEpoch: 3 },
        hiddenNamespaces: ["qa"],
        trouble: "stale",
      };
      const claim = await t.log.claim(JOBS, "me");
      await t.log.commit(t.chunk(claim, { notes }));
      await t.log.commit(t.chunk({ ...claim, rev: 1 }, { checkpoint: t.checkpoint("9") }));
      expect(await t.log.claim(JOBS, "next")).toMatchObject({ notes });
      expect(await t.log.head()).toMatchObject({ nomadEpoch: 3 });
      expect(await t.log.claim(PROD, "me")).toMatchObject({ notes: NO_NOTES });
    });

    test("hands over rev and checkpoint", async () => {
      await t.poll(JOBS, "41", [jobRef("web")]);
      expect(await t.log.claim(JOBS, "next")).toMatchObject({
        rev: 1,
        baselined: true,
        checkpoint: { index: "41", count: 1 },
      });
    });

    test("does not take a poll for read that was not committed whole", async () => {
      const claim = await t.log.claim(JOBS, "me");
      await t.log.commit(t.chunk(claim, { state: [objectChange(jobRef("web"), "1").state] }));
      expect(await t.log.claim(JOBS, "next")).toMatchObject({ rev: 1, baselined: false, checkpoint: null });
    });

    test.each([
      ["a namespace", JOBS, "*", ALL_JOBS],
      ["*", ALL_JOBS, "a namespace", JOBS],
    ])("of %s fences %s off, wherever they overlap", async (_a, later, _b, earlier) => {
      const lost = await t.log.claim(earlier, "old");
      const bystanders = [await t.log.claim(NODES, "me"), await t.log.claim(ALLOCATIONS, "me")];
      await t.log.claim(later, "new");
      await expect(t.log.commit(t.chunk(lost, { events: [job("a")] }))).rejects.toMatchObject({
        code: "FENCED",
      });
      for (const claim of bystanders)
        expect(await t.log.commit(t.chunk(claim))).toMatchObject({ status: "committed" });
    });

    test("of two namespaces can be held at once", async () => {
      const claims = [await t.log.claim(JOBS, "me"), await t.log.claim(PROD, "you")];
      for (const claim of claims)
        expect(await t.log.commit(t.chunk(claim))).toMatchObject({ status: "committed" });
    });

    test("of a namespace goes on from what * has read", async () => {
      await t.poll(ALL_JOBS, "50", [jobRef("a"), jobRef("b"), jobRef("c", "prod")]);
      const claim = await t.log.claim(JOBS, "me");
      expect(claim).toMatchObject({ rev: 0, baselined: true, checkpoint: { index: "50", count: 2 } });
    });

    test("of * goes on from the namespace that is furthest behind", async () => {
      await t.poll(JOBS, "9", [jobRef("a")]);
      await t.poll(PROD, "10", [jobRef("c", "prod")]);
      expect(await t.log.claim(ALL_JOBS, "me")).toMatchObject({
        baselined: true,
        checkpoint: { index: "9", count: 2 },
      });
    });

    test("goes on from the later poll where both the scope and * were polled", async () => {
      await t.poll(JOBS, "10", [jobRef("a")]);
      await t.poll(ALL_JOBS, "20", [jobRef("a")]);
      expect(await t.log.claim(JOBS, "me")).toMatchObject({ checkpoint: { index: "20" } });
      await t.poll(JOBS, "30");
      expect(await t.log.claim(JOBS, "me")).toMatchObject({ checkpoint: { index: "30" } });
      expect(await t.log.claim(ALL_JOBS, "me")).toMatchObject({ checkpoint: { index: "20" } });
    });

    test("does not spread what was inherited but never read", async () => {
      await t.poll(JOBS, "10", [jobRef("a")]);
      await t.log.claim(ALL_JOBS, "me");
      expect(await t.log.claim(PROD, "me")).toMatchObject({ baselined: false, checkpoint: null });
    });

    test("of a scope that was born empty needs no baseline", async () => {
      const born: Scope = { resource: "jobs", namespace: "new" };
      await t.log.commit(t.chunk(await t.log.claim(NODES, "me"), { knownEmptyScopes: [born] }));
      expect(await t.log.claim(born, "me")).toMatchObject({ rev: 0, baselined: true, checkpoint: null });
      expect(await t.log.claim(ALL_JOBS, "me")).toMatchObject({ baselined: false });
    });

    test("is not changed by a commit that calls the scope empty, where the scope is known", async () => {
      await t.log.claim(JOBS, "me");
      await t.poll(PROD, "10");
      await t.log.commit(t.chunk(await t.log.claim(NODES, "me"), { knownEmptyScopes: [JOBS, PROD] }));
      expect(await t.log.claim(JOBS, "me")).toMatchObject({ baselined: false });
      expect(await t.log.claim(PROD, "me")).toMatchObject({ baselined: true, checkpoint: { index: "10" } });
    });

    test("of a scope that begins empty needs no baseline, unless the scope is known", async () => {
      const born: Scope = { resource: "jobs", namespace: "new" };
      await t.log.claim(JOBS, "me");
      await t.poll(PROD, "10");
      await t.log.beginEmpty([born, JOBS, PROD]);
      expect(await t.log.claim(born, "me")).toMatchObject({ rev: 0, baselined: true, checkpoint: null });
      expect(await t.log.claim(JOBS, "me")).toMatchObject({ baselined: false });
      expect(await t.log.claim(PROD, "me")).toMatchObject({ baselined: true, checkpoint: { index: "10" } });
    });

    test("is listed with its owner", async () => {
      const claim = await t.log.claim(JOBS, "worker-1");
      await t.log.commit(t.chunk(claim, { checkpoint: t.checkpoint("4") }));
      expect(await t.log.scopes()).toEqual([
        {
          scope: JOBS,
          fence: claim.fence,
          owner: "worker-1",
          rev: 1,
          baselined: true,
          checkpoint: t.checkpoint("4"),
          notes: NO_NOTES,
        },
      ]);
    });

    test("is listed with what its owner has to remember", async () => {
      const notes: ScopeNotes = { ...NO_NOTES, trouble: "stale", covered: true };
      await t.log.commit(t.chunk(await t.log.claim(JOBS, "me"), { notes }));
      expect(await t.log.scopes()).toMatchObject([{ scope: JOBS, notes }]);
    });
  });
}
