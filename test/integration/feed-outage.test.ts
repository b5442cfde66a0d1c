import { describe, expect, it } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { SCOPES, STALE_AFTER_MS, NAMESPACES, away, textOf, outageBed } from "../support/outage-bed.ts";
import { until } from "../support/until.ts";

const refused = (): NomadError =>
  new NomadError("NOMAD_SERVER_ERROR", "GET /v1/jobs was answered 500", {
    retryable: true,
    hint: "wait",
    status: 500,
  });
const job = (id: string, rev: number) => ({
  CreateIndex: rev,
  ID: id,
  ModifyIndex: rev,
  Name: id,
  Namespace: "default",
});

describe("an outage of Nomad", () => {
  const bed = outageBed();
  const {
    startAlone,
    startWorker,
    events,
    scopeEvents,
    told,
    untilTold,
    inTheLog,
    untilCovered,
    untilWatched,
    someLooks,
    goDown,
    outage,
    pass,
  } = bed;

  it("is told of once, for the feed as a whole, and its end too, after what it hid", async () => {
    const { assignments, metrics } = startAlone();
    await untilWatched();
    bed.nomad.set("jobs/default", 20, [job("hidden", 20)]);
    await outage(...SCOPES);
    expect(assignments.supervisor.reports().map(({ condition }) => condition)).toEqual(
      SCOPES.map(() => "stale"),
    );
    expect(assignments.describe("jobs/qa")).toMatchObject({
      condition: "stale",
      reason: "Nomad cannot be reached (NOMAD_UNREACHABLE)",
    });
    expect((await metrics.registry.metrics()).match(/_scope_stale\{.*\} 1/g)).toHaveLength(SCOPES.length);
    bed.nomad.set("jobs/default", 30, [job("while-away", 30)]);
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    const [stale, recovered] = await scopeEvents();
    expect(stale).toMatchObject({
      severity: "WARN",
      data: { scope: null, state: "stale", reason: "Nomad cannot be reached (NOMAD_UNREACHABLE)" },
    });
    expect(Date.parse(textOf(stale?.data["since"]))).toBeLessThanOrEqual(Date.now());
    expect(recovered).toMatchObject({ severity: "INFO", data: { scope: null, state: "recovered" } });
    expect((await events()).at(-1)?.id).toBe(recovered?.id);
    expect(
      (await metrics.registry.metrics()).match(/events_total\{type="nomad.feed.scope"\} 2/g),
    ).toHaveLength(1);
    await until("all are well", () =>
      assignments.supervisor.reports().every(({ condition }) => condition === "ok"),
    );
  });

  it("is not what one scope has that fails alone: it tells of itself", async () => {
    startAlone();
    await untilWatched();
    await goDown("jobs/qa");
    bed.nomad.set("nodes/-", 20, []);
    await until("another is read", () => bed.nomad.requests.some(({ index }) => index === "20"));
    pass(STALE_AFTER_MS);
    await untilTold("feed/jobs/qa stale");
    bed.nomad.comeBack("jobs/qa");
    await untilTold("feed/jobs/qa stale", "feed/jobs/qa recovered");
    expect(await bed.log.outage()).toBeNull();
  });

  it("may be what one scope has while no other is read: it waits to tell of itself until one is", async () => {
    startAlone();
    await untilWatched();
    await goDown("jobs/qa");
    pass(STALE_AFTER_MS);
    await untilCovered("jobs/qa");
    await someLooks();
    expect(await told()).toEqual([]);
    bed.nomad.set("nodes/-", 20, []);
    await untilTold("feed/jobs/qa stale");
    expect(await inTheLog(({ covered }) => covered)).toEqual([]);
  });

  it("is none while a scope is read whose rights were lost in part", async () => {
    bed.nomad.set("jobs/qa", 10, [{ ...job("kept", 5), Namespace: "qa" }]);
    startAlone();
    await untilWatched();
    bed.nomad.hidden.add("qa");
    bed.nomad.set("jobs/qa", 20, []);
    await untilTold("feed/jobs/qa access-lost");
    const others = SCOPES.filter((name) => name !== "jobs/qa");
    for (const name of others) await goDown(name);
    pass(STALE_AFTER_MS);
    await untilCovered(...others);
    await someLooks();
    expect(await told()).toEqual(["feed/jobs/qa access-lost"]);
  });

  it("begins when the last query has ended in vain, and lasts until that scope is read too", async () => {
    startAlone();
    await untilWatched();
    const first = SCOPES.filter((name) => name !== "jobs/qa");
    for (const name of first) await goDown(name);
    pass(STALE_AFTER_MS);
    await untilCovered(...first);
    await someLooks();
    expect(await told()).toEqual([]);
    await goDown("jobs/qa");
    await untilTold("feed stale");
    for (const name of first) bed.nomad.comeBack(name);
    await until("they are read", async () => (await inTheLog(({ trouble }) => trouble)).length === 0);
    await someLooks();
    expect(await told()).toEqual(["feed stale"]);
    bed.nomad.comeBack("jobs/qa");
    await untilTold("feed stale", "feed recovered");
  });

  it("covers a scope that comes new in the midst of it", async () => {
    const worker = startWorker(bed, ...SCOPES);
    await untilWatched();
    await outage(...SCOPES);
    worker.follow([...SCOPES, "jobs/new"]);
    worker.watch("jobs/new");
    await until("it fails", () => worker.assignments.describe("jobs/new").reason !== null);
    pass(STALE_AFTER_MS);
    await untilCovered("jobs/new");
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    expect(await inTheLog(({ covered }) => covered)).toEqual([]);
  });

  it("is told with the time of the first scope that went unread, and the reason of most, of those watched here", async () => {
    const worker = startWorker(bed, ...SCOPES);
    await untilWatched();
    await goDown("jobs/qa");
    const rest = SCOPES.filter((name) => name !== "jobs/qa");
    worker.follow(rest);
    worker.letGo("jobs/qa");
    await until("it is let go", () => worker.assignments.supervisor.report("jobs/qa") === undefined);
    const readAgain = async (...names: string[]) => {
      const at = new Date().toISOString();
      for (const name of names) bed.nomad.set(name, 20, name === "namespaces/-" ? NAMESPACES : []);
      await until("they are read", () =>
        names.every((name) =>
          bed.nomad.requests.some((asked) => scopeName(asked) === name && asked.index === "20"),
        ),
      );
      return at;
    };
    const [last = "", ...first] = rest;
    const firstAt = await readAgain(...first);
    const lastAt = await readAgain(last);
    bed.nomad.goDown(refused(), last);
    for (const name of first) bed.nomad.goDown(away(), name);
    await until("all fail", () => rest.every((name) => worker.assignments.describe(name).reason !== null));
    pass(STALE_AFTER_MS);
    await untilTold("feed stale");
    const [stale] = await scopeEvents();
    expect(stale?.data["reason"]).toBe("Nomad cannot be reached (NOMAD_UNREACHABLE)");
    const since = textOf(stale?.data["since"]);
    expect([since >= firstAt, since < lastAt]).toEqual([true, true]);
  });
});
