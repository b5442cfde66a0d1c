import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { NomadError, type NomadErrorCode } from "../../src/nomad/errors.ts";
import { QueryWait } from "../../src/pollers/query-wait.ts";
import { recordingLogger } from "../support/recording-logger.ts";
import { TestClock } from "../support/test-clock.ts";

const ended = (heldMs: number | undefined, status: number | undefined, code: NomadErrorCode) =>
  new NomadError(code, "ended", {
    retryable: true,
    hint: "",
    ...(heldMs !== undefined && { heldMs }),
    ...(status !== undefined && { status }),
  });
const gatewayTimeout = (heldMs: number) => ended(heldMs, 504, "NOMAD_SERVER_ERROR");

const HOUR_MS = 3_600_000;

function watching(waitMs: number) {
  const clock = new TestClock();
  const { logger, lines } = recordingLogger();
  const levels: string[] = [];
  for (const level of ["info", "warn"] as const) {
    const say = logger[level].bind(logger);
    Object.assign(logger, {
      [level]: (facts: object, message: string) => (levels.push(level), say(facts, message)),
    });
  }
  const wait = new QueryWait(waitMs, logger, clock);
  /** A query that begins now, and fails after that time. */
  const fails = (error: unknown, query = wait.next()): boolean => {
    if (error instanceof NomadError) clock.pass(error.heldMs ?? 0);
    return query.endedEarly(error);
  };
  /** One that is answered after that time, or when Nomad may not hold it for longer. */
  const isHeld = (heldMs?: number, query = wait.next()): void => {
    const elapsedMs = heldMs ?? query.waitMs;
    clock.pass(elapsedMs);
    query.answered({ elapsedMs, readMs: 0 });
  };
  /** Idle queries for so long, each as long as it may. Answers their waits. */
  const passes = (ms: number): number[] => {
    const waits: number[] = [];
    for (const endMs = clock.elapsed() + ms; clock.elapsed() < endMs;) {
      const query = wait.next();
      waits.push(query.waitMs);
      isHeld(undefined, query);
    }
    return waits;
  };
  /** The wait of a query that is sent now and given up. */
  const peek = (): number => {
    const query = wait.next();
    query.endedEarly(new Error("given up"));
    return query.waitMs;
  };
  return { wait, clock, lines, levels, fails, isHeld, passes, peek };
}

/** Where a proxy, or what looks like one, ended queries after 30 s. */
function shortened() {
  const watched = watching(50_000);
  watched.fails(gatewayTimeout(30_000));
  watched.fails(gatewayTimeout(30_000));
  return { ...watched, shortMs: watched.peek() };
}

describe("QueryWait", () => {
  it("lets no query last 60 s by default, which is where many proxies end what is silent", () => {
    const { config } = resolveConfig({ flags: {}, env: {} });
    expect((config.waitMs * 17) / 16).toBeLessThan(60_000);
  });

  it("shortens the wait when a second query ends at about the same age, once", () => {
    const { wait, lines, fails, peek } = watching(120_000);
    const late = wait.next();
    expect(fails(gatewayTimeout(60_020))).toBe(true);
    expect(peek()).toBe(120_000);
    expect(fails(gatewayTimeout(60_090))).toBe(true);
    expect((peek() * 17) / 16).toBeLessThan(60_000);
    expect(peek()).toBeGreaterThan(50_000);
    fails(gatewayTimeout(60_050), late);
    expect(lines).toHaveLength(1);
  });

  it("does not learn from queries that one restart ended together", () => {
    const { wait, fails, peek } = watching(55_000);
    const other = wait.next();
    fails(gatewayTimeout(20_000));
    other.endedEarly(gatewayTimeout(20_010));
    expect(peek()).toBe(55_000);
  });

  it("does not learn from ages that differ", () => {
    const { fails, peek } = watching(55_000);
    expect(fails(gatewayTimeout(20_000))).toBe(true);
    expect(fails(gatewayTimeout(30_000))).toBe(true);
    expect(peek()).toBe(55_000);
  });

  it.each<[string, NomadError, boolean]>([
    ["408", ended(30_000, 408, "NOMAD_UNEXPECTED_STATUS"), true],
    ["502", ended(30_000, 502, "NOMAD_SERVER_ERROR"), true],
    ["503", ended(30_000, 503, "NOMAD_SERVER_ERROR"), true],
    ["a page", ended(30_000, 200, "NOMAD_BAD_RESPONSE"), true],
    ["a lost connection", ended(30_000, undefined, "NOMAD_UNREACHABLE"), true],
    ["a connection that was never had", ended(undefined, undefined, "NOMAD_UNREACHABLE"), false],
    ["an answer at once", ended(30, 502, "NOMAD_SERVER_ERROR"), false],
    ["a gateway that looked for Nomad all the time", ended(60_000, 504, "NOMAD_SERVER_ERROR"), false],
    ["an election", ended(30_000, 500, "NOMAD_NO_LEADER"), false],
    ["an expired token", ended(30_000, 403, "NOMAD_TOKEN_EXPIRED"), false],
  ])("takes %s for an early end: %#", (_what, error, expected) => {
    expect(watching(55_000).fails(error)).toBe(expected);
  });
});

describe("a wait that was shortened", () => {
  it("is tried whole after an hour without an early end, by one query, and all follow where it is held", () => {
    const { wait, passes, isHeld, peek, shortMs, lines } = shortened();
    expect(new Set(passes(HOUR_MS))).toEqual(new Set([shortMs]));
    const [tries, other] = [wait.next(), wait.next()];
    expect([tries.waitMs, other.waitMs]).toEqual([50_000, shortMs]);
    isHeld(undefined, tries);
    expect(peek()).toBe(50_000);
    expect(lines.slice(1)).toEqual([
      "queries to Nomad are held for longer again; they now wait at most 50 s",
    ]);
  });

  it("stays short, and nothing is said, where the try ends as before; tries become rare", () => {
    const { wait, clock, passes, fails, shortMs, lines } = shortened();
    const restsMs: number[] = [];
    for (let time = 0; time < 7; time++) {
      const sinceMs = clock.elapsed();
      const isTry = (): boolean => {
        const query = wait.next();
        if (query.waitMs === 50_000) return fails(gatewayTimeout(30_100), query);
        query.answered({ elapsedMs: query.waitMs, readMs: 0 });
        clock.pass(60_000);
        return false;
      };
      while (!isTry());
      restsMs.push(clock.elapsed() - 30_100 - sinceMs);
    }
    expect(restsMs.map((ms) => Math.floor(ms / HOUR_MS))).toEqual([1, 2, 4, 8, 16, 24, 24]);
    expect(new Set(passes(HOUR_MS))).toEqual(new Set([shortMs]));
    expect(lines).toHaveLength(1);
  });

  it("is not tried within an hour of an early end, nor before a query was held", () => {
    const { clock, passes, fails, isHeld, peek, shortMs } = shortened();
    passes(HOUR_MS / 2);
    fails(gatewayTimeout(10_000));
    expect(new Set(passes(HOUR_MS / 2))).toEqual(new Set([shortMs]));
    fails(gatewayTimeout(5_000));
    clock.pass(2 * HOUR_MS);
    isHeld(100);
    expect(peek()).toBe(shortMs);
    isHeld();
    expect(peek()).toBe(50_000);
  });

  it("is tried by another where the one that tried was given up, or answered before it proved anything", () => {
    const { wait, clock, passes, isHeld, peek, shortMs } = shortened();
    passes(HOUR_MS);
    expect(peek()).toBe(50_000);
    isHeld(20_000);
    const stuck = wait.next();
    expect(stuck.waitMs).toBe(50_000);
    expect(peek()).toBe(shortMs);
    clock.pass(HOUR_MS);
    expect(peek()).toBe(50_000);
  });

  it("grows to what the try was held for, where something ends it later than before", () => {
    const { passes, fails, peek, lines } = shortened();
    passes(HOUR_MS);
    fails(gatewayTimeout(45_000));
    expect((peek() * 17) / 16).toBeLessThan(45_000);
    expect(peek()).toBeGreaterThan(38_000);
    expect(lines).toHaveLength(2);
    passes(2 * HOUR_MS);
    expect(peek()).toBe(50_000);
  });

  it("warns once of a limit that comes back, and of another one", () => {
    const { passes, fails, peek, shortMs, levels } = shortened();
    passes(HOUR_MS + 60_000);
    expect(peek()).toBe(50_000);
    for (const ageMs of [30_000, 30_000]) fails(gatewayTimeout(ageMs));
    expect(peek()).toBe(shortMs);
    expect(levels).toEqual(["warn", "info", "info"]);
    for (const ageMs of [15_000, 15_000]) fails(gatewayTimeout(ageMs));
    expect(levels).toEqual(["warn", "info", "info", "warn"]);
    expect(new Set(passes(HOUR_MS * 1.9)).size).toBe(1);
  });

  it("rests as long as before where the try fails in another way", () => {
    const { passes, fails, peek, shortMs } = shortened();
    passes(HOUR_MS);
    expect(fails(ended(60_000, undefined, "NOMAD_TIMEOUT"))).toBe(false);
    expect(new Set(passes(HOUR_MS - 120_000))).toEqual(new Set([shortMs]));
    passes(60_000);
    expect(peek()).toBe(50_000);
  });
});
