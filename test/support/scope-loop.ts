import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { NomadError } from "../../src/nomad/errors.ts";
import { Backlog } from "../../src/pollers/backlog.ts";
import { OutageReporter } from "../../src/pollers/outage-reporter.ts";
import type { Outcome, PollerDeps, PollerOptions } from "../../src/pollers/poller.ts";
import { QueryWait } from "../../src/pollers/query-wait.ts";
import { ScopeLoop } from "../../src/pollers/scope-loop.ts";
import type { Json } from "../../src/schemas/json.ts";
import type { Scope } from "../../src/schemas/scope.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { createLogger, silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { breakable } from "./breakable-log.ts";
import { checkLog, parseEvent, type SeenEvent } from "./feed-check.ts";
import { POLLER_OPTIONS } from "./poller-options.ts";
import { ScriptedNomad } from "./scripted-nomad.ts";
import { openSqlite } from "./sqlite-files.ts";
import { until } from "./until.ts";

export const jobs: Scope = { resource: "jobs", namespace: "default" };
export const everyJob: Scope = { resource: "jobs", namespace: "*" };
export const { source: SOURCE, fullEveryMs: FULL_EVERY_MS } = POLLER_OPTIONS;

export function job(
  id: string,
  rev: number,
  more: { created?: number; namespace?: string; Status?: string } = {},
) {
  const { created = rev, namespace = "default", ...fields } = more;
  return {
    CreateIndex: created,
    ID: id,
    ModifyIndex: rev,
    Name: id,
    Namespace: namespace,
    Status: "running",
    ...fields,
  };
}

export const many = (count: number, rev: number, namespace = "default") =>
  Array.from({ length: count }, (_, position) =>
    job(`job${String(position).padStart(4, "0")}`, rev, { namespace }),
  );

export const forbidden = (): NomadError =>
  new NomadError("NOMAD_FORBIDDEN", "GET /v1/jobs: 403 Permission denied", {
    retryable: false,
    hint: "grant list-jobs",
    status: 403,
  });
export const cutOff = (heldMs: number): NomadError =>
  new NomadError("NOMAD_SERVER_ERROR", "GET /v1/jobs was answered 504", {
    retryable: true,
    hint: "wait",
    status: 504,
    heldMs,
  });
export const reset = (): NomadError =>
  new NomadError("NOMAD_UNREACHABLE", "GET /v1/jobs: connection reset", { retryable: true, hint: "wait" });

/** A scope's loop that is alone and tells of itself, with what a test does not care about filled in. */
export function newScopeLoop(
  scope: Scope,
  deps: Pick<PollerDeps, "log" | "nomad" | "metrics" | "clock"> & Partial<PollerDeps>,
  options: Partial<PollerOptions> = {},
): ScopeLoop {
  const { clock, metrics, logger = silentLogger() } = deps;
  const all: PollerDeps = {
    logger,
    random: () => 0.01,
    outages: new OutageReporter(logger, clock),
    feedOutage: { failed: () => undefined, read: () => undefined, covers: () => false },
    backlog: new Backlog(metrics),
    hints: null,
    queryWait: new QueryWait(60_000, logger, clock),
    ...deps,
  };
  return new ScopeLoop(scope, all, {
    ...POLLER_OPTIONS,
    baseline: "events",
    ...options,
  });
}

interface Run {
  readonly abort: AbortController;
  readonly done: Promise<Outcome>;
}

/** Loops of scopes on a log in SQLite that breaks on demand, against a Nomad that says what a test wants. */
class ScopeLoopBed {
  log!: ReturnType<typeof breakable>;
  nomad!: ScriptedNomad;
  metrics!: ReturnType<typeof createMetrics>;
  /** By how much a test has let the clock jump ahead. */
  skippedMs = 0;
  #directory = "";
  #running: Run[] = [];

  readonly start = (
    scope: Scope = jobs,
    options: Partial<PollerOptions> = {},
    more: Partial<PollerDeps> = {},
  ) => {
    const { nomad, log, metrics } = this;
    const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + this.skippedMs };
    const loop = newScopeLoop(scope, { nomad, log, metrics, clock, ...more }, options);
    const abort = new AbortController();
    const run = { abort, loop, done: loop.run(abort.signal) };
    this.#running.push(run);
    return run;
  };
  /** A logger that reads back what it wrote from level warn on. */
  readonly readableLogger = () => {
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    return { lines, logger: createLogger({ level: "warn", format: "json", destination }) };
  };
  readonly stop = async ({ abort, done }: Run) => {
    abort.abort(new Error("end of test"));
    return done;
  };
  readonly events = async (): Promise<SeenEvent[]> => {
    const { epoch, floor } = await this.log.head();
    return (await this.log.read({ epoch, sequence: floor }, { limit: 10_000, maxBytes: 1 << 28 })).map(
      (entry) => parseEvent(entry.json),
    );
  };
  readonly count = (atLeast: number): Promise<SeenEvent[]> =>
    until(`${atLeast} events`, async () => {
      const all = await this.events();
      return all.length >= atLeast && all;
    });
  readonly expectFolds = async (stubs: readonly { ID: string; Namespace: string }[]) => {
    const truth = new Map(stubs.map((stub) => [`jobs/${stub.Namespace}/${stub.ID}`, stub as Json]));
    const { lost, duplicated, outOfOrder } = checkLog(await this.events(), truth);
    assert.deepEqual({ lost, duplicated, outOfOrder }, { lost: [], duplicated: [], outOfOrder: [] });
  };

  async open(): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), "ncf-loop-"));
    this.log = breakable(await openSqlite({ path: join(this.#directory, "feed.db"), source: SOURCE }));
    this.nomad = new ScriptedNomad();
    this.metrics = createMetrics();
    this.skippedMs = 0;
    this.#running = [];
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map(this.stop));
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** One anew for each test of the suite that calls this. */
export function scopeLoopBed(): ScopeLoopBed {
  const bed = new ScopeLoopBed();
  beforeEach(() => bed.open());
  afterEach(() => bed.close());
  return bed;
}
