import { describe, expect, it } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import { SCOPES, STALE_AFTER_MS, namespace, outageBed } from "../support/outage-bed.ts";
import { until } from "../support/until.ts";

const forbidden = (): NomadError =>
  new NomadError("NOMAD_FORBIDDEN", "403", { retryable: false, hint: "grant list-jobs", status: 403 });

describe("the end of an outage of Nomad", () => {
  const bed = outageBed();
  const {
    startAlone,
    scopeEvents,
    told,
    untilTold,
    inTheLog,
    untilCovered,
    untilWatched,
    someLooks,
    goDown,
    outage,
    comeBackWithout,
    pass,
  } = bed;

  it("is called over though an older version read the scopes, which knows of no cover", async () => {
    const first = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await first.stop();
    bed.nomad.comeBack();
    for (const { scope, notes } of await bed.log.scopes()) {
      const { fence, rev } = await bed.log.claim(scope, "older");
      const commit = { scope, fence, expectedRev: rev, commitId: "older", events: [], state: [] };
      await bed.log.commit({ ...commit, notes: { ...notes, trouble: null } });
    }
    startAlone();
    await untilTold("feed stale", "feed recovered");
    expect(await bed.log.outage()).toBeNull();
  });

  it("is over while one scope fails on, which then tells of itself", async () => {
    startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await comeBackWithout("jobs/qa");
    await someLooks();
    expect(await told()).toEqual(["feed stale"]);
    pass(STALE_AFTER_MS);
    await untilTold("feed stale", "feed/jobs/qa stale", "feed recovered");
    bed.nomad.comeBack("jobs/qa");
    await untilTold("feed stale", "feed/jobs/qa stale", "feed recovered", "feed/jobs/qa recovered");
  });

  it("is called over after a restart, once it is known which scopes there are and all are read", async () => {
    const first = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await first.stop();
    bed.nomad.comeBack();
    const gate = Promise.withResolvers<void>();
    startAlone((plan) => (plan.has("jobs/default") ? gate.promise : Promise.resolve()));
    await until("what needs no plan is read", async () =>
      (await inTheLog(({ covered }) => covered)).every(
        (name) => name.startsWith("jobs") || name.startsWith("dep"),
      ),
    );
    await someLooks();
    expect(await told()).toEqual(["feed stale"]);
    gate.resolve();
    await untilTold("feed stale", "feed recovered");
    expect(await inTheLog(({ trouble }) => trouble)).toEqual([]);
    await someLooks();
    await untilTold("feed stale", "feed recovered");
  });

  it.each([
    ["is listed as empty", () => bed.nomad.set("jobs/qa", 30, [])],
    ["is refused", () => bed.nomad.goDown(forbidden(), "jobs/qa")],
  ])("is called over though the namespace of a scope went meanwhile, whose list %s", async (_how, goes) => {
    const { assignments } = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    bed.nomad.absent.add("qa");
    goes();
    bed.nomad.set("namespaces/-", 30, [namespace("default")]);
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    await until("it ended", () => assignments.supervisor.report("jobs/qa") === undefined);
  });

  it("is called over once, when the log has room again", async () => {
    startAlone();
    await untilWatched();
    bed.log.full = 2;
    await outage(...SCOPES);
    bed.log.full = 3;
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    await someLooks();
    expect(await told()).toEqual(["feed stale", "feed recovered"]);
  });

  it("is one while Nomad comes back for a moment only, and another after all were read", async () => {
    startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await comeBackWithout("jobs/qa");
    pass(STALE_AFTER_MS * 0.7);
    await goDown(...SCOPES);
    pass(STALE_AFTER_MS * 0.7);
    await someLooks();
    pass(STALE_AFTER_MS * 0.7);
    await untilCovered(...SCOPES);
    bed.nomad.comeBack("jobs/qa");
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    await outage(...SCOPES);
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered", "feed stale", "feed recovered");
    const ids = (await scopeEvents()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
