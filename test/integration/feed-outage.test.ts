import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AssignmentPlan } from "../../src/coordination/coordination.ts";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { LogFull } from "../../src/feed/errors.ts";
import type { FeedLog, OutageChange } from "../../src/feed/log.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { PollerAssignments } from "../../src/pollers/poller-assignments.ts";
import type { Json } from "../../src/schemas/json.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable } from "../support/breakable-log.ts";
import { parseEvent, type SeenEvent } from "../support/feed-check.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { until } from "../support/until.ts";
import { openSqlite } from "../support/sqlite-files.ts";

const SOURCE = "nomad://test/global";
const STALE_AFTER_MS = 30_000;
const SCOPES = [
  "deployments/default",
  "deployments/qa",
  "jobs/default",
  "jobs/qa",
  "namespaces/-",
  "nodes/-",
];

const away = (): NomadError =>
  new NomadError("NOMAD_UNREACHABLE", "GET /v1/jobs at http://10.0.0.1:4646 failed", {
    retryable: true,
    hint: "wait",
  });
const refused = (): NomadError =>
  new NomadError("NOMAD_SERVER_ERROR", "GET /v1/jobs was answered 500", {
    retryable: true,
    hint: "wait",
    status: 500,
  });
const namespace = (name: string) => ({ CreateIndex: 1, ModifyIndex: 1, Name: name });
const NAMESPACES = [namespace("default"), namespace("qa")];
const job = (id: string, rev: number) => ({
  CreateIndex: rev,
  ID: id,
  ModifyIndex: rev,
  Name: id,
  Namespace: "default",
});
const forbidden = (): NomadError =>
  new NomadError("NOMAD_FORBIDDEN", "403", { retryable: false, hint: "grant list-jobs", status: 403 });
const textOf = (json: Json | undefined): string => (typeof json === "string" ? json : "");
const { redisUrl, missing } = await sharedRedis();

describe("an outage of Nomad", () => {
  let directory: string;
  let file: FeedLog;
  let log: ReturnType<typeof breakable> & { looks: number; full: number };
  let nomad: ScriptedNomad;
  let skewMs: number;
  let stops: (() => Promise<unknown>)[];
  /** Real time, of which a test lets as much pass as it wants. */
  const clock: Clock = {
    ...systemClock,
    elapsed: () => performance.now() + skewMs,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal),
  };
  const pass = (ms: number): void => void (skewMs += ms);

  /** One process; with `namespaces` null it finds them and plans. */
  const process = (
    of: { log: FeedLog; nomad: ScriptedNomad },
    announce: (plan: AssignmentPlan) => Promise<void>,
    namespaces: readonly string[] | null,
  ) => {
    const [logger, metrics, abort] = [silentLogger(), createMetrics(), new AbortController()];
    const trim = (signal: AbortSignal) => systemClock.sleep(1_000_000, signal);
    const ready = { nomadReady: Promise.resolve(), random: () => 0.01, broadcast: null };
    const assignments = new PollerAssignments(
      { ...of, logger, metrics, clock, announce, trim, ...ready },
      {
        source: SOURCE,
        owner: "test",
        waitMs: 60_000,
        consistency: "default",
        baseline: "marker",
        maxEventBytes: 65_536,
        reading: "auto",
        fullEveryMs: 1e9,
        staleAfterMs: STALE_AFTER_MS,
        checkpointEveryMs: 0,
        pace: { perSecond: 1000, burst: 1000 },
        resources: ["namespaces", "jobs", "nodes", "deployments"],
        namespaces,
        maxScopes: 50,
      },
    );
    const looking = assignments.supervisor.run(abort.signal);
    stops.push(async () => {
      abort.abort(new Error("end of test"));
      await looking;
    });
    return { assignments, metrics, abort };
  };

  /** A process that plans and watches all. */
  const startAlone = (gate: (plan: AssignmentPlan) => Promise<void> = async () => undefined) => {
    const local = new LocalAssignments({
      worker: "test",
      logger: silentLogger(),
      metrics: createMetrics(),
      clock: systemClock,
      restMs: 50,
    });
    const announce = async (plan: AssignmentPlan) => {
      await gate(plan);
      await local.announce(plan);
    };
    const one = process({ log, nomad }, announce, null);
    const running = local.run(one.assignments, one.abort.signal);
    const stop = async () => {
      one.abort.abort(new Error("end of test"));
      await running;
    };
    stops.push(stop);
    return { ...one, stop };
  };

  /** One of several processes: it watches what the test tells it to. */
  const startWorker = (of: { log: FeedLog; nomad: ScriptedNomad }, ...scopes: string[]) => {
    const one = process(of, async () => undefined, ["default", "qa"]);
    const ends = new Map<string, AbortController>();
    const follow = (names: readonly string[]) =>
      one.assignments.follow(new Map(names.map((name) => [name, "perform" as const])));
    const watch = (name: string) => {
      const end = new AbortController();
      ends.set(name, end);
      const done = one.assignments.perform(name, AbortSignal.any([one.abort.signal, end.signal]));
      stops.push(() => done);
    };
    follow(SCOPES);
    for (const name of scopes) watch(name);
    return { ...one, follow, watch, letGo: (name: string) => ends.get(name)?.abort(new Error("moved")) };
  };

  const events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await log.head();
    return (await log.read({ epoch, sequence: floor }, { limit: 1000 })).map(({ json }) => parseEvent(json));
  };
  const scopeEvents = async () => (await events()).filter(({ type }) => type === "nomad.feed.scope");
  /** `feed stale`, `feed/jobs/qa recovered`, in order. */
  const told = async () =>
    (await scopeEvents()).map(({ subject, data }) => `${subject} ${textOf(data["state"])}`);
  const untilTold = (...expected: string[]) =>
    until(`told ${expected.join(", ")}`, async () => (await told()).length >= expected.length).then(
      async () => expect(await told()).toEqual(expected),
    );
  const inTheLog = async (test: (scope: { covered: boolean; trouble: boolean }) => boolean) =>
    (await log.scopes())
      .filter(({ notes }) => test({ covered: notes.covered === true, trouble: notes.trouble !== null }))
      .map(({ scope }) => scopeName(scope));
  const untilCovered = (...names: string[]) =>
    until(`covered ${names.join(", ")}`, async () => {
      const covered = await inTheLog((scope) => scope.covered);
      return names.every((name) => covered.includes(name));
    });
  /** Every scope was read and asks for what changes. */
  const untilWatched = (...nomads: ScriptedNomad[]) =>
    until("all are watched", () => {
      const requests = [nomad, ...nomads].flatMap((each) => each.requests);
      const watched = new Set(requests.filter(({ index }) => index !== undefined).map(scopeName));
      return watched.size === SCOPES.length;
    });
  /** The process has had time to tell, and did not. */
  /** Nomad is back, but for one scope. */
  const comeBackWithout = async (scope: string) => {
    nomad.goDown(away(), scope);
    nomad.comeBack();
    await until(
      "the others are read",
      async () => (await inTheLog(({ covered }) => covered)).join() === scope,
    );
  };
  const someLooks = async () => {
    const { looks } = log;
    await until("some looks", () => log.looks >= looks + 3);
  };
  /** From now on these scopes cannot be read, and know it: they ask again. */
  const goDown = async (...scopes: string[]) => {
    const { length } = nomad.requests;
    if (scopes.length === 1) nomad.goDown(away(), scopes[0]);
    else nomad.goDown(away());
    await until("all fail", () => {
      const asked = new Set(nomad.requests.slice(length).map(scopeName));
      return scopes.every((name) => asked.has(name));
    });
  };
  /** Once all queries fail, so much time that the outage is told of. */
  const outage = async (...scopes: string[]) => {
    await goDown(...scopes);
    pass(STALE_AFTER_MS);
    await until("it is told", async () => (await told()).at(-1) === "feed stale");
    await untilCovered(...scopes);
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "ncf-outage-"));
    file = await openSqlite({ path: join(directory, "feed.db"), source: SOURCE, fsync: false });
    log = Object.assign(breakable(file), {
      looks: 0,
      full: 0,
      outage: () => {
        log.looks += 1;
        return file.outage();
      },
      tellOutage: async (change: OutageChange) => {
        if (log.full-- > 0) throw new LogFull("no space left");
        return file.tellOutage(change);
      },
    });
    nomad = new ScriptedNomad();
    nomad.set("namespaces/-", 10, NAMESPACES);
    for (const name of SCOPES.filter((each) => each !== "namespaces/-")) nomad.set(name, 10, []);
    skewMs = 0;
    stops = [];
  });

  afterEach(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await log[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  it("is told of once, for the feed as a whole, and its end too, after what it hid", async () => {
    const { assignments, metrics } = startAlone();
    await untilWatched();
    nomad.set("jobs/default", 20, [job("hidden", 20)]);
    await outage(...SCOPES);
    expect(assignments.supervisor.reports().map(({ condition }) => condition)).toEqual(
      SCOPES.map(() => "stale"),
    );
    expect(assignments.describe("jobs/qa")).toMatchObject({
      condition: "stale",
      reason: "Nomad cannot be reached (NOMAD_UNREACHABLE)",
    });
    expect((await metrics.registry.metrics()).match(/_scope_stale\{.*\} 1/g)).toHaveLength(SCOPES.length);
    nomad.set("jobs/default", 30, [job("while-away", 30)]);
    nomad.comeBack();
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
    nomad.set("nodes/-", 20, []);
    await until("another is read", () => nomad.requests.some(({ index }) => index === "20"));
    pass(STALE_AFTER_MS);
    await untilTold("feed/jobs/qa stale");
    nomad.comeBack("jobs/qa");
    await untilTold("feed/jobs/qa stale", "feed/jobs/qa recovered");
    expect(await log.outage()).toBeNull();
  });

  it("may be what one scope has while no other is read: it waits to tell of itself until one is", async () => {
    startAlone();
    await untilWatched();
    await goDown("jobs/qa");
    pass(STALE_AFTER_MS);
    await untilCovered("jobs/qa");
    await someLooks();
    expect(await told()).toEqual([]);
    nomad.set("nodes/-", 20, []);
    await untilTold("feed/jobs/qa stale");
    expect(await inTheLog(({ covered }) => covered)).toEqual([]);
  });

  it("is none while a scope is read whose rights were lost in part", async () => {
    nomad.set("jobs/qa", 10, [{ ...job("kept", 5), Namespace: "qa" }]);
    startAlone();
    await untilWatched();
    nomad.hidden.add("qa");
    nomad.set("jobs/qa", 20, []);
    await untilTold("feed/jobs/qa access-lost");
    const others = SCOPES.filter((name) => name !== "jobs/qa");
    for (const name of others) await goDown(name);
    pass(STALE_AFTER_MS);
    await untilCovered(...others);
    await someLooks();
    expect(await told()).toEqual(["feed/jobs/qa access-lost"]);
  });

  it("is called over though an older version read the scopes, which knows of no cover", async () => {
    const first = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await first.stop();
    nomad.comeBack();
    for (const { scope, notes } of await log.scopes()) {
      const { fence, rev } = await log.claim(scope, "older");
      const commit = { scope, fence, expectedRev: rev, commitId: "older", events: [], state: [] };
      await log.commit({ ...commit, notes: { ...notes, trouble: null } });
    }
    startAlone();
    await untilTold("feed stale", "feed recovered");
    expect(await log.outage()).toBeNull();
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
    nomad.comeBack("jobs/qa");
    await untilTold("feed stale", "feed/jobs/qa stale", "feed recovered", "feed/jobs/qa recovered");
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
    for (const name of first) nomad.comeBack(name);
    await until("they are read", async () => (await inTheLog(({ trouble }) => trouble)).length === 0);
    await someLooks();
    expect(await told()).toEqual(["feed stale"]);
    nomad.comeBack("jobs/qa");
    await untilTold("feed stale", "feed recovered");
  });

  it("is called over after a restart, once it is known which scopes there are and all are read", async () => {
    const first = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    await first.stop();
    nomad.comeBack();
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
    ["is listed as empty", () => nomad.set("jobs/qa", 30, [])],
    ["is refused", () => nomad.goDown(forbidden(), "jobs/qa")],
  ])("is called over though the namespace of a scope went meanwhile, whose list %s", async (_how, goes) => {
    const { assignments } = startAlone();
    await untilWatched();
    await outage(...SCOPES);
    nomad.absent.add("qa");
    goes();
    nomad.set("namespaces/-", 30, [namespace("default")]);
    nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    await until("it ended", () => assignments.supervisor.report("jobs/qa") === undefined);
  });

  it("is called over once, when the log has room again", async () => {
    startAlone();
    await untilWatched();
    log.full = 2;
    await outage(...SCOPES);
    log.full = 3;
    nomad.comeBack();
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
    nomad.comeBack("jobs/qa");
    nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    await outage(...SCOPES);
    nomad.comeBack();
    await untilTold("feed stale", "feed recovered", "feed stale", "feed recovered");
    const ids = (await scopeEvents()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("covers a scope that comes new in the midst of it", async () => {
    const worker = startWorker({ log, nomad }, ...SCOPES);
    await untilWatched();
    await outage(...SCOPES);
    worker.follow([...SCOPES, "jobs/new"]);
    worker.watch("jobs/new");
    await until("it fails", () => worker.assignments.describe("jobs/new").reason !== null);
    pass(STALE_AFTER_MS);
    await untilCovered("jobs/new");
    nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    expect(await inTheLog(({ covered }) => covered)).toEqual([]);
  });

  it("is told with the time of the first scope that went unread, and the reason of most, of those watched here", async () => {
    const worker = startWorker({ log, nomad }, ...SCOPES);
    await untilWatched();
    await goDown("jobs/qa");
    const rest = SCOPES.filter((name) => name !== "jobs/qa");
    worker.follow(rest);
    worker.letGo("jobs/qa");
    await until("it is let go", () => worker.assignments.supervisor.report("jobs/qa") === undefined);
    const readAgain = async (...names: string[]) => {
      const at = new Date().toISOString();
      for (const name of names) nomad.set(name, 20, name === "namespaces/-" ? NAMESPACES : []);
      await until("they are read", () =>
        names.every((name) =>
          nomad.requests.some((asked) => scopeName(asked) === name && asked.index === "20"),
        ),
      );
      return at;
    };
    const [last = "", ...first] = rest;
    const firstAt = await readAgain(...first);
    const lastAt = await readAgain(last);
    nomad.goDown(refused(), last);
    for (const name of first) nomad.goDown(away(), name);
    await until("all fail", () => rest.every((name) => worker.assignments.describe(name).reason !== null));
    pass(STALE_AFTER_MS);
    await untilTold("feed stale");
    const [stale] = await scopeEvents();
    expect(stale?.data["reason"]).toBe("Nomad cannot be reached (NOMAD_UNREACHABLE)");
    const since = textOf(stale?.data["since"]);
    expect([since >= firstAt, since < lastAt]).toEqual([true, true]);
  });

  describe("seen by several processes", () => {
    it("is called over though a scope went to another meanwhile", async () => {
      const first = startWorker({ log, nomad }, ...SCOPES.slice(0, 3));
      const second = startWorker({ log, nomad }, ...SCOPES.slice(3));
      await untilWatched();
      await outage(...SCOPES);
      first.letGo("jobs/default");
      second.watch("jobs/default");
      nomad.comeBack();
      await untilTold("feed stale", "feed recovered");
      expect(await inTheLog(({ trouble }) => trouble)).toEqual([]);
    });

    it("is told of though a scope is taken over just as it was to be covered", async () => {
      const second = startWorker({ log, nomad }, ...SCOPES.slice(3));
      startWorker({ log, nomad }, ...SCOPES.slice(0, 3));
      await untilWatched();
      await goDown(...SCOPES);
      log.breakNext(async ({ scope }, write) => {
        second.watch(scopeName(scope));
        await until(
          "it is taken",
          async () => second.assignments.supervisor.report(scopeName(scope))?.reason,
        );
        return write();
      });
      pass(STALE_AFTER_MS);
      await someLooks();
      pass(STALE_AFTER_MS);
      await untilTold("feed stale");
      await untilCovered(...SCOPES);
      nomad.comeBack();
      await untilTold("feed stale", "feed recovered");
    });

    it("is none where only one of them cannot reach Nomad: its scopes tell of themselves", async () => {
      const cut = new ScriptedNomad();
      startWorker({ log, nomad: cut }, "jobs/default", "jobs/qa");
      startWorker({ log, nomad }, ...SCOPES.filter((name) => !name.startsWith("jobs/")));
      await untilWatched(cut);
      cut.goDown(away());
      await until("both fail", () => cut.requests.length >= 6);
      pass(STALE_AFTER_MS);
      await untilCovered("jobs/default", "jobs/qa");
      await someLooks();
      expect(await told()).toEqual([]);
      pass(5 * STALE_AFTER_MS);
      await until("both tell", async () => (await told()).length >= 2);
      expect((await told()).toSorted()).toEqual(["feed/jobs/default stale", "feed/jobs/qa stale"]);
    });

    it.skipIf(redisUrl === undefined)(`is told of once by all who write to one Redis${missing}`, async () => {
      const url = `${redisUrl}?feed=outage-${Date.now().toString(36)}`;
      await log[Symbol.asyncDispose]();
      const [one, two] = [await openTestLog(url), await openTestLog(url)];
      stops.push(() => two[Symbol.asyncDispose]());
      log = Object.assign(breakable(one), { looks: 0, full: 0 });
      startWorker({ log: one, nomad }, ...SCOPES.slice(0, 3));
      startWorker({ log: two, nomad }, ...SCOPES.slice(3));
      await untilWatched();
      for (const round of [1, 2]) {
        await outage(...SCOPES);
        nomad.comeBack();
        await until("it is over", async () => (await told()).length === 2 * round);
      }
      const pair = ["feed stale", "feed recovered"];
      expect(await told()).toEqual([...pair, ...pair]);
    });
  });
});
