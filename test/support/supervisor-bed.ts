import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { AssignmentPlan } from "../../src/coordination/coordination.ts";
import { LocalAssignments } from "../../src/coordination/local/local-assignments.ts";
import { LogUnavailable } from "../../src/feed/errors.ts";
import { keepWithin } from "../../src/feed/retention.ts";
import type { PlannerOptions } from "../../src/pollers/planner.ts";
import { PollerAssignments } from "../../src/pollers/poller-assignments.ts";
import type { PollerOptions } from "../../src/pollers/poller.ts";
import type { Supervisor } from "../../src/pollers/supervisor.ts";
import { scopeName } from "../../src/schemas/scope.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable } from "./breakable-log.ts";
import { parseEvent, type SeenEvent } from "./feed-check.ts";
import { POLLER_OPTIONS } from "./poller-options.ts";
import { recordingLogger } from "./recording-logger.ts";
import { ScriptedNomad } from "./scripted-nomad.ts";
import { openSqlite } from "./sqlite-files.ts";
import { until } from "./until.ts";

export const namespace = (name: string, created: number) => ({
  CreateIndex: created,
  ModifyIndex: created,
  Name: name,
});
export const job = (id: string, space: string, rev: number) => ({
  CreateIndex: rev,
  ID: id,
  ModifyIndex: rev,
  Name: id,
  Namespace: space,
});

/** A process that plans and watches a Nomad that says what a test wants, on a log in SQLite that breaks on demand. */
class SupervisorBed {
  log!: ReturnType<typeof breakable> & {
    /** So many further times the scopes cannot be read from the log. */
    failScopes: number;
    /** How often somebody planned. */
    plans: number;
  };
  nomad!: ScriptedNomad;
  metrics!: ReturnType<typeof createMetrics>;
  supervisor!: Supervisor;
  assignments!: PollerAssignments;
  local!: LocalAssignments;
  /** By how much a test has let the clock jump ahead. */
  skewMs = 0;
  longestSleepMs = Number.POSITIVE_INFINITY;
  /** What it said since it was started, from level info on. */
  lines: readonly string[] = [];
  #abort = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #directory = "";
  readonly #clock: Clock = {
    ...systemClock,
    elapsed: () => performance.now() + this.skewMs,
    sleep: (ms, signal) => systemClock.sleep(Math.min(ms, this.longestSleepMs), signal),
  };

  readonly start = (options: Partial<PlannerOptions & PollerOptions> = {}, restMs = 5_000) => {
    const { log, nomad, metrics } = this;
    const { logger, lines } = recordingLogger();
    this.lines = lines;
    const shared = { logger, metrics, clock: systemClock };
    this.#abort = new AbortController();
    this.local = new LocalAssignments({ ...shared, worker: "test", restMs });
    const deps = {
      ...shared,
      nomad,
      log,
      clock: this.#clock,
      random: () => 0.01,
      announce: (plan: AssignmentPlan) => this.local.announce(plan),
      broadcast: null,
      trim: (signal: AbortSignal) => keepWithin(log, {}, { ...shared, signal }),
      nomadReady: Promise.resolve(),
    };
    this.assignments = new PollerAssignments(deps, {
      ...POLLER_OPTIONS,
      resources: ["namespaces", "jobs"],
      namespaces: null,
      maxScopes: 50,
      ...options,
    });
    this.supervisor = this.assignments.supervisor;
    const { signal } = this.#abort;
    this.#running = Promise.all([this.local.run(this.assignments, signal), this.supervisor.run(signal)]);
  };
  readonly stop = async () => {
    this.#abort.abort(new Error("end of test"));
    await this.#running;
  };

  /** Names of the scopes that are watched, in order. */
  readonly watched = () =>
    this.supervisor
      .reports()
      .map((report) => scopeName(report.scope))
      .toSorted();
  readonly watching = (...names: string[]) =>
    until(
      `watching ${names.join(", ")}`,
      () =>
        this.watched().join() === names.join() &&
        this.supervisor.reports().every((report) => report.baselined),
    );
  readonly events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await this.log.head();
    const entries = await this.log.read({ epoch, sequence: floor }, { limit: 1000 });
    return entries.map(({ json }) => parseEvent(json));
  };

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), "ncf-supervisor-"));
    const path = join(this.#directory, "feed.db");
    const file = await openSqlite({ path, source: POLLER_OPTIONS.source });
    this.log = Object.assign(breakable(file), {
      failScopes: 0,
      plans: 0,
      scopes: async () => {
        this.log.plans += 1;
        if (this.log.failScopes-- > 0) throw new LogUnavailable("busy");
        return file.scopes();
      },
    });
    this.nomad = new ScriptedNomad();
    this.nomad.set("namespaces/-", 10, [namespace("default", 1)]);
    this.nomad.set("jobs/default", 10, [job("web", "default", 5)]);
    this.metrics = createMetrics();
    this.skewMs = 0;
    this.longestSleepMs = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** One anew for each test of the suite that calls this. */
export function supervisorBed(): SupervisorBed {
  const bed = new SupervisorBed();
  beforeEach(() => bed.open());
  afterEach(() => bed.close());
  return bed;
}
