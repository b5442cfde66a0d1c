import { afterEach, describe, expect, it } from "vitest";
import { NO_NOTES, type Checkpoint, type ScopeStatus } from "../../src/feed/log.ts";
import type { ListRequest, ListResponse } from "../../src/nomad/api.ts";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { NomadError, type NomadErrorCode } from "../../src/nomad/errors.ts";
import { Leftovers, type Watched } from "../../src/pollers/leftovers.ts";
import type { ResourceType } from "../../src/schemas/resources.ts";
import { parseScopeName, scopeName, type Scope } from "../../src/schemas/scope.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

const FIVE_MINUTES = 300_000;

const job = (Namespace: string) => ({ ID: "web", Namespace, CreateIndex: 5, ModifyIndex: 5 });
const scopeOf = (name: string) => parseScopeName(name) as Scope;

/** A scope that was read at that time, or claimed and never read. */
function status(name: string, observedAt: string | null): ScopeStatus {
  const checkpoint = observedAt === null ? null : ({ observedAt } as Checkpoint);
  const baselined = observedAt !== null;
  return { scope: scopeOf(name), fence: 1, owner: "", rev: 1, baselined, checkpoint, notes: NO_NOTES };
}

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

function scanning(resources: readonly ResourceType[] = ["jobs", "nodes"]) {
  const clock = new TestClock();
  const { logger, lines } = recordingLogger();
  const world = {
    watched: { namespaces: ["default"], folded: new Set<ResourceType>() } satisfies Watched as Watched,
    statuses: [] as ScopeStatus[],
    filled: [] as string[],
    /** What Nomad lists; or how it fails. */
    listed: [] as object[],
    error: undefined as NomadErrorCode | undefined,
    logIsAway: false,
    onLog: () => undefined as void,
    onList: () => undefined as void,
  };
  const asked: ListRequest[] = [];
  const born: string[] = [];
  let found = 0;
  const leftovers = new Leftovers(
    {
      clock,
      logger,
      onFound: () => (found += 1),
      log: {
        scopes: async () => {
          world.onLog();
          if (world.logIsAway) throw new LogUnavailable("the log is away");
          return world.statuses;
        },
        filled: async () => world.filled.map(scopeOf),
        beginEmpty: async (scopes) => void born.push(...scopes.map(scopeName)),
      },
      nomad: {
        list: async (request) => {
          asked.push(request);
          const beganMs = clock.elapsed();
          world.onList();
          if (world.error !== undefined) {
            throw new NomadError(world.error, "refused", { retryable: true, hint: "" });
          }
          return {
            body: Buffer.from(JSON.stringify(world.listed)),
            index: "9",
            elapsedMs: clock.elapsed() - beganMs,
          } as ListResponse;
        },
      },
    },
    resources,
  );
  const stop = new AbortController();
  stops.push(stop);
  void leftovers.run(() => world.watched, stop.signal);
  const scan = async (): Promise<void> => {
    leftovers.changed();
    await clock.advance(1000);
  };
  const outside = async () => (await leftovers.outside(world.watched.namespaces)).map(scopeName).toSorted();
  return { clock, world, leftovers, asked, born, lines, scan, outside, found: () => found };
}

describe("a scan for what deleted namespaces left", () => {
  it("asks for what is not watched, and finds it, whether Nomad knows filters or not", async () => {
    const { world, asked, scan, outside, found } = scanning();
    world.watched = { namespaces: ["default", "qa"], folded: new Set() };
    world.listed = [job("default"), job("gone"), job("qa")];
    await scan();
    expect(asked).toMatchObject([
      { resource: "jobs", namespace: "*", filter: 'Namespace != "default" and Namespace != "qa"' },
    ]);
    expect(await outside()).toEqual(["jobs/gone"]);
    await scan();
    expect(found()).toBe(1);
    world.listed.push(job("gone-too"));
    await scan();
    expect(found()).toBe(2);
    expect(await outside()).toEqual(["jobs/gone", "jobs/gone-too"]);
    world.listed = [job("gone-too")];
    await scan();
    expect(await outside()).toEqual(["jobs/gone-too"]);
  });

  it("leaves out what is watched in all namespaces", async () => {
    const { world, asked, scan } = scanning(["jobs", "evaluations"]);
    world.watched = { namespaces: ["default"], folded: new Set(["jobs"]) };
    await scan();
    expect(asked.map(({ resource }) => resource)).toEqual(["evaluations"]);
  });

  it("asks without a filter where it would be too long for a request line", async () => {
    const { world, asked, scan, outside } = scanning();
    world.watched = {
      namespaces: Array.from({ length: 300 }, (_, n) => `namespace-${n}`),
      folded: new Set(),
    };
    world.listed = [job("namespace-7"), job("gone")];
    await scan();
    expect(asked[0]).not.toHaveProperty("filter");
    expect(await outside()).toEqual(["jobs/gone"]);
  });

  it("finds nothing where the token may see nothing", async () => {
    const { world, leftovers, lines, scan, outside } = scanning();
    world.error = "NOMAD_FORBIDDEN";
    await scan();
    expect(leftovers.scanned).toBe(true);
    expect(await outside()).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("that fails while the log is away is tried again, and others say so", async () => {
    const { world, leftovers, lines, scan, clock } = scanning();
    world.logIsAway = true;
    await scan();
    await clock.advance(60_000);
    expect(lines).toEqual([]);
    world.logIsAway = false;
    await clock.advance(5_000);
    expect(leftovers.scanned).toBe(true);
  });

  it("that fails is tried again, and said once, after the fifth time", async () => {
    const { world, leftovers, asked, lines, scan, clock } = scanning();
    world.error = "NOMAD_UNREACHABLE";
    await scan();
    await clock.advance(15_000);
    expect(asked).toHaveLength(4);
    expect(lines).toEqual([]);
    await clock.advance(10_000);
    expect(lines).toHaveLength(1);
    expect(leftovers.scanned).toBe(false);
    world.error = undefined;
    await clock.advance(5_000);
    expect(leftovers.scanned).toBe(true);
    const before = asked.length;
    await clock.advance(FIVE_MINUTES - 10_000);
    expect(asked).toHaveLength(before);
  });
});

describe("what a scan finds for the first time", () => {
  it("was there before, where the feed has read nothing yet; later it is news", async () => {
    const { world, born, scan } = scanning();
    world.listed = [job("gone")];
    await scan();
    expect(born).toEqual([]);
    world.listed = [job("gone"), job("new")];
    world.statuses = [status("jobs/gone", "1")];
    await scan();
    expect(born).toEqual(["jobs/new"]);
  });

  it("is news where the feed had begun before, unless its scope is known, or watched already", async () => {
    const { world, born, scan } = scanning();
    world.statuses = [status("jobs/first", "1"), status("jobs/known", null)];
    world.listed = [job("default"), job("known"), job("new")];
    await scan();
    expect(born).toEqual(["jobs/new"]);
  });
});

describe("scopes outside of the namespaces", () => {
  it("are those that hold something by the feed's own word, too", async () => {
    const { world, outside } = scanning();
    world.filled = ["jobs/default", "jobs/gone", "evaluations/gone"];
    expect(await outside()).toEqual(["jobs/gone"]);
  });

  it.each([
    ["by themselves", "jobs/gone"],
    ["with all namespaces", "jobs/*"],
  ])("are no more once they were read since the scan, %s", async (_how, name) => {
    const { world, scan, outside } = scanning();
    world.statuses = [status(name, "1")];
    world.listed = [job("gone")];
    await scan();
    world.statuses = [status(name, "1"), status("jobs/default", "2")];
    expect(await outside()).toEqual(["jobs/gone"]);
    world.statuses = [status(name, "2")];
    expect(await outside()).toEqual([]);
  });
});

describe("scans", () => {
  it("wait for the namespaces for a minute, and then come every five", async () => {
    const { asked, clock } = scanning();
    await clock.advance(59_000);
    expect(asked).toHaveLength(0);
    await clock.advance(2_000);
    expect(asked).toHaveLength(1);
    await clock.advance(FIVE_MINUTES);
    expect(asked).toHaveLength(2);
  });

  it("rest no longer because the log took long to answer, or to be given up", async () => {
    const { world, leftovers, asked, clock } = scanning();
    world.onLog = () => clock.pass(20_000);
    world.logIsAway = true;
    leftovers.changed();
    await clock.advance(1_000);
    Object.assign(world, { onLog: () => undefined, logIsAway: false });
    leftovers.changed();
    await clock.advance(1_000);
    expect(asked).toHaveLength(1);
  });

  it("rest no longer because Nomad did not answer at all for a while", async () => {
    const { world, leftovers, asked, clock } = scanning();
    world.onList = () => clock.pass(30_000);
    world.error = "NOMAD_TIMEOUT";
    leftovers.changed();
    await clock.advance(1_000);
    Object.assign(world, { onList: () => undefined, error: undefined });
    // Nomad is back, and a namespace came and went.
    leftovers.changed();
    await clock.advance(30_000);
    expect(asked).toHaveLength(2);
  });

  it("rest five minutes at most", async () => {
    const { world, leftovers, asked, clock } = scanning();
    world.onList = () => clock.pass(60_000);
    leftovers.changed();
    await clock.advance(1_000);
    world.onList = () => undefined;
    leftovers.changed();
    await clock.advance(FIVE_MINUTES - 2_000);
    expect(asked).toHaveLength(1);
    await clock.advance(3_000);
    expect(asked).toHaveLength(2);
  });

  it("rest ten times as long as Nomad took, whatever changes meanwhile, and then miss no change", async () => {
    const { world, leftovers, asked, clock } = scanning();
    world.onList = () => {
      clock.pass(2000);
      // It changes while Nomad answers.
      if (asked.length === 1) leftovers.changed();
    };
    leftovers.changed();
    await clock.advance(19_000);
    expect(asked).toHaveLength(1);
    await clock.advance(3_500);
    expect(asked).toHaveLength(2);
    await clock.advance(100_000);
    expect(asked).toHaveLength(2);
  });
});
