import { afterEach, describe, expect, it } from "vitest";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { FeedLog } from "../../src/feed/log.ts";
import { changedVersions } from "../../src/pollers/enrichment/changed-versions.ts";
import { Enricher } from "../../src/pollers/enrichment/enricher.ts";
import { specFinder } from "../../src/pollers/enrichment/spec-finder.ts";
import type { ScopeLoop } from "../../src/pollers/scope-loop.ts";
import { PastStates } from "../../src/reads/past-states.ts";
import { nomadJobVersionsSchema } from "../../src/schemas/nomad-job-versions.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { objects, type OpenLog } from "../contract/log-context.ts";
import { breakable } from "../support/breakable-log.ts";
import { checkLog, parseEvent } from "../support/feed-check.ts";
import { redisLogsOf } from "../support/redis-logs.ts";
import { job, jobs, newScopeLoop } from "../support/scope-loop.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { openTemporarySqliteLog } from "../support/sqlite-files.ts";
import { until } from "../support/until.ts";

const { redisUrl, missing } = await sharedRedis();
const redis = redisLogsOf(redisUrl ?? "", { prefix: `skipped-${Date.now().toString(36)}` });

describe("versions of a job that no poll saw", () => {
  suite("in SQLite", openTemporarySqliteLog);
  describe.skipIf(redisUrl === undefined)(`with a real Redis${missing}`, () => {
    suite("in Redis", redis);
  });
});

function suite(name: string, open: OpenLog): void {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });

  it(`are told once ${name}, whatever becomes of the commit, and change no state`, async () => {
    const under = await open({ clock: systemClock });
    ends.push(() => under.dispose());
    const log = breakable(under.log);
    const nomad = new ScriptedNomad();
    const web = (version: number) => ({
      ...job("web", 10 + version, { created: 10 }),
      JobModifyIndex: 10 + version,
    });
    const submit = (version: number) => {
      newest = version;
      nomad.set("jobs/default", 10 + version, [web(version)]);
    };
    let newest = 0;
    const start = () => {
      const run = loopOf(log, nomad, () => newest);
      ends.push(run.stop);
      return run;
    };
    const idsUntil = (newestId: string) =>
      until(newestId, async () => {
        const events = await eventsOf(log);
        return events.at(-1)?.id === newestId && events.slice(2).map(({ id }) => id);
      });

    submit(0);
    const first = start();
    await baselineOf(log);
    // Written, and the answer is lost: the same commit comes again.
    log.breakNext(async (_commit, write) => {
      await write();
      throw new LogUnavailable("the answer was lost");
    });
    submit(3);
    await idsUntil("0/jobs/default/web@13");
    // Killed before it was written: who comes next looks again, and by then there is another version.
    log.breakNext(async () => {
      first.abort.abort(new Error("killed"));
      throw new LogUnavailable("killed");
    });
    submit(5);
    await first.done.catch(() => undefined);
    submit(6);
    start();
    const of = (version: number) => `0/jobs/default/web@10!v${version}`;
    expect(await idsUntil("0/jobs/default/web@16")).toEqual([
      of(1),
      of(2),
      "0/jobs/default/web@13",
      of(4),
      of(5),
      "0/jobs/default/web@16",
    ]);

    const truth = new Map([["jobs/default/web", web(6)]]);
    const verdict = checkLog(await eventsOf(log), truth);
    expect(verdict).toMatchObject({ lost: [], duplicated: [], outOfOrder: [] });
    const found = await log.history({ op: "version", key: "web", order: "newest-first", limit: 10 });
    expect(found.map(({ id }) => id)).toEqual([of(5), of(4), of(2), of(1)]);
    // Between two of them the job is as it was seen last.
    const cursor = { epoch: (await log.head()).epoch, sequence: found[1]?.sequence ?? 0 };
    await using past = await new PastStates(log).at({ kind: "cursor", cursor });
    const [then] = await objects(past.entries());
    expect(then?.rev).toBe("13");
  });
}

const eventsOf = async (log: FeedLog) => {
  const { epoch, floor } = await log.head();
  return (await log.read({ epoch, sequence: floor }, { limit: 100 })).map(({ json }) => parseEvent(json));
};

const baselineOf = (log: FeedLog) =>
  until("the baseline", async () => (await eventsOf(log)).some(({ type }) => type === "nomad.feed.baseline"));

/** A loop that asks for versions: Nomad keeps all up to the newest. */
function loopOf(log: FeedLog, nomad: ScriptedNomad, newest: () => number) {
  const metrics = createMetrics();
  const found = () =>
    nomadJobVersionsSchema.parse({
      Versions: Array.from({ length: newest() + 1 }, (_, version) => ({
        Version: version,
        JobModifyIndex: 10 + version,
        SubmitTime: 1_795_436_878_072_000_000 + version * 1e9,
      })).toReversed(),
      Diffs: Array.from({ length: newest() }, () => ({ Type: "Edited" })),
    });
  const versionsOf = changedVersions(
    { read: async () => ({ kind: "some", found: found() }) },
    { diffs: true },
  );
  const enricher = new Enricher({
    finders: [specFinder({ versionsOf, redact: (_namespace, texts) => texts })],
    clock: systemClock,
    logger: silentLogger(),
    metrics,
  });
  const loop: ScopeLoop = newScopeLoop(jobs, { log, nomad, metrics, clock: systemClock, enricher });
  const abort = new AbortController();
  const done = loop.run(abort.signal);
  const stop = async () => {
    abort.abort(new Error("end of test"));
    await done.catch(() => undefined);
  };
  return { abort, done, stop };
}
