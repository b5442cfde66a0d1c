import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { AssignmentPlan } from "../../src/coordination/coordination.ts";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { LogFull } from "../../src/feed/errors.ts";
import type { FeedLog, OutageChange } from "../../src/feed/log.ts";
import { NomadError } from "../../src/nomad/errors.ts";
import { PollerAssignments } from "../../src/pollers/poller-assignments.ts";
import type { Json } from "../../src/schemas/json.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable } from "./breakable-log.ts";
import { parseEvent, type SeenEvent } from "./feed-check.ts";
import { POLLER_OPTIONS } from "./poller-options.ts";
import { ScriptedNomad } from "./scripted-nomad.ts";
import { openSqlite } from "./sqlite-files.ts";
import { until } from "./until.ts";

export const STALE_AFTER_MS = POLLER_OPTIONS.staleAfterMs;
export const SCOPES = [
  "deployments/default",
  "deployments/qa",
  "jobs/default",
  "jobs/qa",
  "namespaces/-",
  "nodes/-",
];

export const away = (): NomadError =>
  new NomadError("NOMAD_UNREACHABLE", "GET /v1/jobs at http://10.0.0.1:4646 failed", {
    retryable: true,
    hint: "wait",
  });
export const namespace = (name: string) => ({ CreateIndex: 1, ModifyIndex: 1, Name: name });
export const NAMESPACES = [namespace("default"), namespace("qa")];
export const textOf = (json: Json | undefined): string => (typeof json === "string" ? json : "");

interface Watched {
  readonly log: FeedLog;
  readonly nomad: ScriptedNomad;
}

/** Processes that watch a Nomad on a log in SQLite, and how the log tells of its outages. */
class OutageBed {
  log!: ReturnType<typeof breakable> & {
    /** How often somebody looked whether there is an outage. */
    looks: number;
    /** So many further times the log has no room to tell of one. */
    full: number;
  };
  nomad!: ScriptedNomad;
  readonly stops: (() => Promise<unknown>)[] = [];
  #skewMs = 0;
  #directory = "";
  /** Real time, of which a test lets as much pass as it wants. */
  readonly #clock: Clock = {
    ...systemClock,
    elapsed: () => performance.now() + this.#skewMs,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 20), signal),
  };

  readonly pass = (ms: number): void => void (this.#skewMs += ms);

  /** A process that plans and watches all. */
  readonly startAlone = (gate: (plan: AssignmentPlan) => Promise<void> = async () => undefined) => {
    const [logger, metrics] = [silentLogger(), createMetrics()];
    const local = new LocalAssignments({ worker: "test", logger, metrics, clock: systemClock, restMs: 50 });
    const announce = async (plan: AssignmentPlan) => {
      await gate(plan);
      await local.announce(plan);
    };
    const one = this.#process(this, announce, null);
    const running = local.run(one.assignments, one.abort.signal);
    const stop = async () => {
      one.abort.abort(new Error("end of test"));
      await running;
    };
    this.stops.push(stop);
    return { ...one, stop };
  };

  /** One of several processes: it watches what the test tells it to. */
  readonly startWorker = (of: Watched, ...scopes: string[]) => {
    const one = this.#process(of, async () => undefined, ["default", "qa"]);
    const ends = new Map<string, AbortController>();
    const follow = (names: readonly string[]) =>
      one.assignments.follow(new Map(names.map((name) => [name, "perform" as const])));
    const watch = (name: string) => {
      const end = new AbortController();
      ends.set(name, end);
      const done = one.assignments.perform(name, AbortSignal.any([one.abort.signal, end.signal]));
      this.stops.push(() => done);
    };
    follow(SCOPES);
    for (const name of scopes) watch(name);
    return { ...one, follow, watch, letGo: (name: string) => ends.get(name)?.abort(new Error("moved")) };
  };

  readonly events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await this.log.head();
    const entries = await this.log.read({ epoch, sequence: floor }, { limit: 1000 });
    return entries.map(({ json }) => parseEvent(json));
  };
  readonly scopeEvents = async () => (await this.events()).filter(({ type }) => type === "nomad.feed.scope");
  /** `feed stale`, `feed/jobs/qa recovered`, in order. */
  readonly told = async () =>
    (await this.scopeEvents()).map(({ subject, data }) => `${subject} ${textOf(data["state"])}`);
  readonly untilTold = async (...expected: string[]) => {
    await until(`told ${expected.join(", ")}`, async () => (await this.told()).length >= expected.length);
    assert.deepEqual(await this.told(), expected);
  };

  /** Scopes of whose notes in the log this is true. */
  readonly inTheLog = async (test: (notes: { covered: boolean; trouble: boolean }) => boolean) =>
    (await this.log.scopes())
      .filter(({ notes }) => test({ covered: notes.covered === true, trouble: notes.trouble !== null }))
      .map(({ scope }) => scopeName(scope));
  readonly untilCovered = (...names: string[]) =>
    until(`covered ${names.join(", ")}`, async () => {
      const covered = await this.inTheLog((scope) => scope.covered);
      return names.every((name) => covered.includes(name));
    });
  /** Every scope was read and asks for what changes. */
  readonly untilWatched = (...nomads: ScriptedNomad[]) =>
    until("all are watched", () => {
      const requests = [this.nomad, ...nomads].flatMap((each) => each.requests);
      const watched = new Set(requests.filter(({ index }) => index !== undefined).map(scopeName));
      return watched.size === SCOPES.length;
    });
  /** The processes have had time to tell of something. */
  readonly someLooks = async () => {
    const { looks } = this.log;
    await until("some looks", () => this.log.looks >= looks + 3);
  };

  /** From now on these scopes cannot be read, and know it: they ask again. */
  readonly goDown = async (...scopes: string[]) => {
    const { length } = this.nomad.requests;
    if (scopes.length === 1) this.nomad.goDown(away(), scopes[0]);
    else this.nomad.goDown(away());
    await until("all fail", () => {
      const asked = new Set(this.nomad.requests.slice(length).map(scopeName));
      return scopes.every((name) => asked.has(name));
    });
  };
  /** Once all queries fail, so much time that the outage is told of. */
  readonly outage = async (...scopes: string[]) => {
    await this.goDown(...scopes);
    this.pass(STALE_AFTER_MS);
    await until("it is told", async () => (await this.told()).at(-1) === "feed stale");
    await this.untilCovered(...scopes);
  };
  /** Nomad is back, but for one scope. */
  readonly comeBackWithout = async (scope: string) => {
    this.nomad.goDown(away(), scope);
    this.nomad.comeBack();
    const isOnlyOne = async () => (await this.inTheLog(({ covered }) => covered)).join() === scope;
    await until("the others are read", isOnlyOne);
  };

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), "ncf-outage-"));
    const file = await openSqlite({
      path: join(this.#directory, "feed.db"),
      source: POLLER_OPTIONS.source,
      fsync: false,
    });
    this.log = Object.assign(breakable(file), {
      looks: 0,
      full: 0,
      outage: () => {
        this.log.looks += 1;
        return file.outage();
      },
      tellOutage: async (change: OutageChange) => {
        if (this.log.full-- > 0) throw new LogFull("no space left");
        return file.tellOutage(change);
      },
    });
    this.nomad = new ScriptedNomad();
    this.nomad.set("namespaces/-", 10, NAMESPACES);
    for (const name of SCOPES.filter((each) => each !== "namespaces/-")) this.nomad.set(name, 10, []);
    this.#skewMs = 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.stops.splice(0).map((stop) => stop()));
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** One process; with `namespaces` null it finds them and plans. */
  #process(
    { log, nomad }: Watched,
    announce: (plan: AssignmentPlan) => Promise<void>,
    namespaces: readonly string[] | null,
  ) {
    const [logger, metrics, abort] = [silentLogger(), createMetrics(), new AbortController()];
    const trim = (signal: AbortSignal) => systemClock.sleep(1_000_000, signal);
    const ready = { nomadReady: Promise.resolve(), random: () => 0.01, broadcast: null };
    const assignments = new PollerAssignments(
      { log, nomad, logger, metrics, clock: this.#clock, announce, trim, ...ready },
      {
        ...POLLER_OPTIONS,
        fullEveryMs: 1e9,
        resources: ["namespaces", "jobs", "nodes", "deployments"],
        namespaces,
        maxScopes: 50,
      },
    );
    const running = assignments.supervisor.run(abort.signal);
    this.stops.push(async () => {
      abort.abort(new Error("end of test"));
      await running;
    });
    return { assignments, metrics, abort };
  }
}

/** One anew for each test of the suite that calls this. */
export function outageBed(): OutageBed {
  const bed = new OutageBed();
  beforeEach(() => bed.open());
  afterEach(() => bed.close());
  return bed;
}
