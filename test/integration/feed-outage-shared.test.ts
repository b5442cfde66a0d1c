import { describe, expect, it } from "vitest";
import { scopeName } from "../../src/schemas/scope.ts";
import { breakable } from "../support/breakable-log.ts";
import { SCOPES, STALE_AFTER_MS, away, outageBed } from "../support/outage-bed.ts";
import { openTestLog } from "../support/redis-logs.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";
import { sharedRedis } from "../support/shared-redis.ts";
import { until } from "../support/until.ts";

const { redisUrl, missing } = await sharedRedis();

describe("an outage of Nomad that several processes see", () => {
  const bed = outageBed();
  const {
    startWorker,
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

  it("is called over though a scope went to another meanwhile", async () => {
    const first = startWorker(bed, ...SCOPES.slice(0, 3));
    const second = startWorker(bed, ...SCOPES.slice(3));
    await untilWatched();
    await outage(...SCOPES);
    first.letGo("jobs/default");
    second.watch("jobs/default");
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
    expect(await inTheLog(({ trouble }) => trouble)).toEqual([]);
  });

  it("is told of though a scope is taken over just as it was to be covered", async () => {
    const second = startWorker(bed, ...SCOPES.slice(3));
    startWorker(bed, ...SCOPES.slice(0, 3));
    await untilWatched();
    await goDown(...SCOPES);
    bed.log.breakNext(async ({ scope }, write) => {
      second.watch(scopeName(scope));
      await until("it is taken", async () => second.assignments.supervisor.report(scopeName(scope))?.reason);
      return write();
    });
    pass(STALE_AFTER_MS);
    await someLooks();
    pass(STALE_AFTER_MS);
    await untilTold("feed stale");
    await untilCovered(...SCOPES);
    bed.nomad.comeBack();
    await untilTold("feed stale", "feed recovered");
  });

  it("is none where only one of them cannot reach Nomad: its scopes tell of themselves", async () => {
    const cut = new ScriptedNomad();
    startWorker({ log: bed.log, nomad: cut }, "jobs/default", "jobs/qa");
    startWorker(bed, ...SCOPES.filter((name) => !name.startsWith("jobs/")));
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
    await bed.log[Symbol.asyncDispose]();
    const [one, two] = [await openTestLog(url), await openTestLog(url)];
    bed.stops.push(() => two[Symbol.asyncDispose]());
    bed.log = Object.assign(breakable(one), { looks: 0, full: 0 });
    startWorker({ log: one, nomad: bed.nomad }, ...SCOPES.slice(0, 3));
    startWorker({ log: two, nomad: bed.nomad }, ...SCOPES.slice(3));
    await untilWatched();
    for (const round of [1, 2]) {
      await outage(...SCOPES);
      bed.nomad.comeBack();
      await until("it is over", async () => (await told()).length === 2 * round);
    }
    const pair = ["feed stale", "feed recovered"];
    expect(await told()).toEqual([...pair, ...pair]);
  });
});
