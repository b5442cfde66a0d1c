import { describe, expect, test } from "vitest";
import { draft } from "../support/drafts.ts";
import { everything, job, JOBS, jobRef, NODES, objects, PROD, type LogContext } from "./log-context.ts";

export function registerCommits(t: LogContext): void {
  describe("commit", () => {
    test("numbers events without a gap, across commits and scopes", async () => {
      const first = await t.append(job("a"), job("b"));
      const nodes = await t.log.claim(NODES, "me");
      const second = await t.log.commit(
        t.chunk(nodes, { events: [draft({ resource: "nodes", namespace: "-" })] }),
      );
      expect(first).toEqual({ status: "committed", first: 1, last: 2, rev: 1 });
      expect(second).toEqual({ status: "committed", first: 3, last: 3, rev: 1 });
      expect((await t.log.head()).sequence).toBe(3);
    });

    test("gives back each event as it was drafted, with its place in it", async () => {
      const event = draft({
        job: "web",
        node: "n1",
        signals: ["allocation.failed", "task.oom_killed"],
        severity: "ERROR",
        after: { Name: 'żółw 🐢 \u0000 "quoted"' },
      });
      await t.append(event);
      const [entry] = await t.readAll();
      const { head: _head, tail: _tail, overflow: _overflow, ...facts } = event;
      expect(entry).toEqual({ ...facts, sequence: 1, json: expect.any(String) });
      const { epoch } = await t.log.head();
      expect(JSON.parse(entry?.json ?? "")).toMatchObject({
        specversion: "1.0",
        sequence: "0000000000000001",
        cursor: `${epoch}-1`,
        data: { after: { Name: 'żółw 🐢 \u0000 "quoted"' } },
      });
    });

    test("takes control events, which speak of no object", async () => {
      await t.append(draft({ resource: null, namespace: null, key: null, op: null, aspect: null }));
      expect(await t.readAll()).toMatchObject([
        { resource: null, namespace: null, key: null, op: null, aspect: null },
      ]);
    });

    test("writes, replaces and removes state, byte for byte", async () => {
      const bytes = Buffer.from('{ "b":1.0, "a":1795434687866379238,\n"é":"\\u0000" }');
      const ref = jobRef("web");
      const claim = await t.log.claim(JOBS, "me");
      await t.log.commit(t.chunk(claim, { state: [{ ref, next: { rev: "7", stub: bytes } }] }));
      expect(await objects(t.log.loadState(JOBS))).toEqual([{ ref, rev: "7", stub: bytes }]);
      const next = { rev: "8", stub: Buffer.from("{}") };
      await t.log.commit(t.chunk({ ...claim, rev: 1 }, { state: [{ ref, next }] }));
      expect(await objects(t.log.loadState(JOBS))).toEqual([{ ref, ...next }]);
      await t.log.commit(
        t.chunk(
          { ...claim, rev: 2 },
          {
            state: [
              { ref, next: null },
              { ref: jobRef("none"), next: null },
            ],
          },
        ),
      );
      expect(await objects(t.log.loadState(JOBS))).toEqual([]);
    });

    test("without events moves only the scope", async () => {
      const claim = await t.log.claim(JOBS, "me");
      const committed = await t.log.commit(t.chunk(claim, { checkpoint: t.checkpoint("12") }));
      expect(committed).toEqual({ status: "committed", first: 0, last: 0, rev: 1 });
      expect(await t.log.claim(JOBS, "me")).toMatchObject({
        rev: 1,
        baselined: true,
        checkpoint: t.checkpoint("12"),
      });
    });

    test("answers a repetition with the range it had, and writes nothing", async () => {
      await t.append(job("before"));
      const claim = await t.log.claim(JOBS, "me");
      const commit = t.chunk(claim, { events: [job("a"), job("b")] });
      await t.log.commit(commit);
      const before = await everything(t.log);
      expect(await t.log.commit(commit)).toEqual({ status: "duplicate", first: 2, last: 3, rev: 2 });
      expect(await everything(t.log)).toEqual(before);
      t.log = await t.under.reopen();
      expect(await t.log.commit(commit)).toEqual({ status: "duplicate", first: 2, last: 3, rev: 2 });
    });

    test("answers the repetition of a commit without events", async () => {
      const commit = t.chunk(await t.log.claim(JOBS, "me"), { checkpoint: t.checkpoint("3") });
      await t.log.commit(commit);
      expect(await t.log.commit(commit)).toEqual({ status: "duplicate", first: 0, last: 0, rev: 1 });
    });

    test("refuses a rev that is not the scope's, and writes nothing", async () => {
      const claim = await t.log.claim(JOBS, "me");
      const early = t.chunk(claim, { events: [job("a")] });
      await t.log.commit(early);
      await t.log.commit(t.chunk({ ...claim, rev: 1 }, { events: [job("b")] }));
      const before = await everything(t.log);
      const wrong = [
        early,
        t.chunk(claim, { events: [job("c")] }),
        t.chunk({ ...claim, rev: 9 }, { events: [job("d")] }),
      ];
      for (const commit of wrong) {
        await expect(t.log.commit(commit)).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
      }
      expect(await everything(t.log)).toEqual(before);
    });

    test("refuses an old fence, also for a repetition, and writes nothing", async () => {
      const old = await t.log.claim(JOBS, "old");
      const done = t.chunk(old, { events: [job("a")] });
      await t.log.commit(done);
      const young = await t.log.claim(JOBS, "young");
      expect(young.fence).toBeGreaterThan(old.fence);
      const before = await everything(t.log);
      for (const commit of [
        done,
        t.chunk({ ...old, rev: 1 }, { events: [job("b")], state: [], checkpoint: t.checkpoint("9") }),
      ]) {
        await expect(t.log.commit(commit)).rejects.toMatchObject({ code: "FENCED", retryable: false });
      }
      expect(await everything(t.log)).toEqual(before);
      expect(await t.log.commit(t.chunk(young, { events: [job("c")] }))).toMatchObject({ first: 2, rev: 2 });
    });

    test("refuses a scope nobody claimed", async () => {
      await expect(
        t.log.commit(t.chunk({ ...(await t.log.claim(JOBS, "me")), scope: PROD })),
      ).rejects.toMatchObject({
        code: "FENCED",
      });
    });

    test("lets the checkpoint raise the feed's Nomad epoch, never lower it", async () => {
      await t.poll(JOBS, "10", [], { nomadEpoch: 2 });
      await t.poll(NODES, "10", [], { nomadEpoch: 1 });
      expect((await t.log.head()).nomadEpoch).toBe(2);
    });

    test("keeps the data the size cap cut", async () => {
      await t.append(draft({ overflow: '{"whole":true}' }), draft());
      expect(await t.log.overflow(1)).toBe('{"whole":true}');
      expect(await t.log.overflow(2)).toBeUndefined();
      expect(await t.log.overflow(99)).toBeUndefined();
      const { epoch } = await t.log.head();
      expect(JSON.parse((await t.readAll())[0]?.json ?? "")).toMatchObject({
        dataref: `data/${epoch}-1`,
      });
    });

    test("takes the largest chunk", async () => {
      await t.append(...Array.from({ length: 500 }, (_, n) => draft({ key: `k${n}`, bytes: 1000 })));
      expect((await t.readAll()).map((entry) => entry.key)).toEqual(
        Array.from({ length: 500 }, (_, n) => `k${n}`),
      );
    });
  });
}
