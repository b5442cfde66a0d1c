import { LogUnavailable } from "../../feed/errors.ts";
import type { AssignmentStatus } from "../../schemas/assignment-schema.ts";
import { aborted } from "../../shared/aborted.ts";
import type { Clock } from "../../shared/clock.ts";
import { endsWithin } from "../../shared/ends-within.ts";
import type { Logger } from "../../telemetry/logger.ts";
import {
  NOTHING_TO_REPORT,
  STANDING_ASSIGNMENTS,
  type Coordination,
  type CoordinationMetrics,
  type AssignmentHolder,
  type AssignmentPlan,
} from "../coordination.ts";
import type { Broadcast } from "../broadcast.ts";
import type { AssignmentJob, AssignmentJobs } from "./assignment-jobs.ts";
import { HeldAssignment } from "./held-assignment.ts";
import type { Heard, Registry } from "./registry.ts";
import { cheapestToMove, shareOf } from "./share.ts";

export interface SharedAssignmentsParts {
  /** Names this process, and no other, to people and to the other workers. */
  readonly worker: string;
  readonly registry: Registry;
  readonly jobs: AssignmentJobs;
  readonly broadcast: Broadcast;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: CoordinationMetrics;
  readonly restMs: number;
  /** Pause between two rounds. */
  readonly roundMs: number;
  /** Ends the connections. */
  readonly close: () => Promise<void>;
}

/** An assignment that nobody holds for so long is taken by whoever comes first. */
const STARVING_MS = 5_000;
/** An assignment that nobody holds is offered again so often: its job may be gone. */
const OFFER_EVERY_MS = 3_000;
/** How long giving back, and then saying goodbye, may take: who is left finds out by itself. */
const LEAVE_WITHIN_MS = 500;

/**
 * Any number of processes share the assignments through Redis. In every round, mostly a second apart, a worker renews
 * the locks of what it holds, says that it lives, hears the plan and who else lives, gives away what is above its share
 * and takes what it lacks (`shareOf`). What a dead worker held is given to the others when its locks end.
 */
export class SharedAssignments implements Coordination {
  readonly #parts: SharedAssignmentsParts;
  readonly #held = new Map<string, HeldAssignment>();
  /** When an assignment was first seen without a holder, and last offered. */
  readonly #waiting = new Map<string, { sinceMs: number; offeredAtMs: number }>();
  #holder: AssignmentHolder | undefined;
  #plan: AssignmentPlan = new Map();
  /** In which this worker plans, while it does. */
  #term: { readonly of: HeldAssignment; readonly number: number } | undefined;
  #failing = false;
  #silent: ReadonlySet<string> = new Set();
  #share = { now: "", before: "", said: "" };

  constructor(parts: SharedAssignmentsParts) {
    this.#parts = parts;
  }

  get broadcast(): Broadcast {
    return this.#parts.broadcast;
  }

  async run(holder: AssignmentHolder, signal: AbortSignal): Promise<void> {
    const { registry, clock } = this.#parts;
    this.#holder = holder;
    const rounds = this.#rounds(signal);
    await aborted(signal);
    const held = [...this.#held.values()];
    for (const each of held) each.letGo("this worker ends");
    await endsWithin(LEAVE_WITHIN_MS, Promise.all([rounds, ...held.map(({ done }) => done)]), clock);
    await endsWithin(LEAVE_WITHIN_MS, registry.leave(), clock);
    // What still waits for Redis ends with the connections.
    await this.#parts.close();
    await Promise.all([rounds, ...held.map(({ done }) => done)]);
  }

  async announce(plan: AssignmentPlan): Promise<void> {
    const { registry } = this.#parts;
    const planning = this.#held.get("plan");
    if (planning === undefined || planning.leaving) return;
    if (this.#term?.of !== planning) this.#term = { of: planning, number: await registry.beginTerm() };
    if (await registry.announce(this.#term.number, plan)) return;
    planning.letGo("another worker plans");
  }

  async statuses(): Promise<AssignmentStatus[]> {
    const { plan, reports } = await this.#parts.registry.reports();
    const told = new Map(reports.map((report) => [report.assignment, report]));
    return assignmentsOf(plan).map((assignment) => {
      const nobody = { assignment, state: "waiting" as const, worker: null, since: null };
      return told.get(assignment) ?? { ...nobody, ...NOTHING_TO_REPORT, reason: "no worker holds it" };
    });
  }

  /** What nobody does is owed by no worker more than by another. */
  owed(): [] {
    return [];
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.close();
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#round(signal);
        this.#failing = false;
      } catch (error) {
        if (signal.aborted) return;
        // While Redis is away, the log's own connection says so.
        const level = this.#failing || error instanceof LogUnavailable ? "debug" : "warn";
        this.#failing = true;
        this.#parts.logger[level](
          { err: error },
          "cannot coordinate with the other workers; keeping the current assignments and retrying",
        );
      }
      await this.#parts.clock.sleep(this.#parts.roundMs, signal);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { worker, registry, jobs, metrics } = this.#parts;
    await this.#renew();
    const staying = this.#staying();
    const heard = await registry.beat(staying.map((held) => held.report()));
    // There always is something to watch: an empty plan is one that was not made yet, or was lost.
    if (heard.plan.size > 0) {
      this.#plan = heard.plan;
      this.#holder?.follow(heard.plan);
    }
    for (const held of staying) if (!this.#isPlanned(held.assignment)) held.letGo("not planned any more");
    this.#sayWhoIsSilent(heard);
    metrics.workersAlive.set(heard.workers.size);
    const unheld = this.#unheld(heard);
    await this.#offer(unheld);
    const elsewhere = new Set([...heard.silent.values()].flat());
    const assignments = assignmentsOf(this.#plan).filter((assignment) => !elsewhere.has(assignment)).length;
    const share = shareOf(worker, heard.workers, assignments);
    const missing = share - this.#staying().length;
    if (missing < 0) this.#giveAway(-missing);
    else await this.#take(this.#isStarving() ? unheld.length : missing, signal);
    this.#sayWhatChanged(await jobs.takenFromSilent(), heard.workers.size);
  }

  #staying(): HeldAssignment[] {
    return [...this.#held.values()].filter(({ leaving }) => !leaving);
  }

  /** Not of what leaves: one that takes too long to end goes to another all the same. */
  async #renew(): Promise<void> {
    const staying = this.#staying();
    const failed = new Set(await this.#parts.jobs.renew(staying.map(({ job }) => job)));
    const lost = staying.filter(({ assignment, leaving }) => failed.has(assignment) && !leaving);
    if (lost.length === 0) return;
    for (const held of lost) held.lose();
    this.#parts.logger.warn(
      { assignments: lost.map(({ assignment }) => assignment) },
      `lost ${lost.length} assignments: this worker was silent for too long and others took over, or Redis lost its data`,
    );
  }

  #isPlanned(assignment: string): boolean {
    return this.#planned(assignment) !== undefined;
  }

  #planned(assignment: string): "perform" | "finish" | undefined {
    return STANDING.has(assignment) ? "perform" : this.#plan.get(assignment);
  }

  /** Assignments that no worker says it holds; remembers since when. */
  #unheld({ workers, silent }: Heard): string[] {
    const held = new Set([...workers.values(), ...silent.values()].flat());
    const unheld = assignmentsOf(this.#plan).filter((assignment) => !held.has(assignment));
    for (const assignment of this.#waiting.keys())
      if (!unheld.includes(assignment)) this.#waiting.delete(assignment);
    const sinceMs = this.#parts.clock.elapsed();
    for (const assignment of unheld) {
      if (!this.#waiting.has(assignment)) this.#waiting.set(assignment, { sinceMs, offeredAtMs: -Infinity });
    }
    return unheld;
  }

  /** Then evenness does not matter. */
  #isStarving(): boolean {
    const now = this.#parts.clock.elapsed();
    return [...this.#waiting.values()].some(({ sinceMs }) => now - sinceMs >= STARVING_MS);
  }

  async #offer(unheld: readonly string[]): Promise<void> {
    const now = this.#parts.clock.elapsed();
    const due = unheld.filter(
      (assignment) => now - (this.#waiting.get(assignment)?.offeredAtMs ?? now) >= OFFER_EVERY_MS,
    );
    await this.#parts.jobs.offer(due);
    for (const assignment of due) {
      const waiting = this.#waiting.get(assignment);
      if (waiting !== undefined) waiting.offeredAtMs = now;
    }
  }

  /**
   * The newest first: they have read least. Who plans goes on planning; what costs more to move goes last.
   */
  #giveAway(surplus: number): void {
    const staying = this.#staying();
    const given = new Set(
      cheapestToMove(
        staying.map(({ assignment }) => assignment),
        surplus,
      ),
    );
    for (const held of staying.filter(({ assignment }) => given.has(assignment))) {
      this.#parts.logger.debug({ assignment: held.assignment }, "given to a worker that has less to do");
      held.letGo("given to another worker");
    }
  }

  async #take(room: number, signal: AbortSignal): Promise<void> {
    const { jobs } = this.#parts;
    /** What this worker cannot do: kept until it is done here, or it would be taken again at once. */
    const left: AssignmentJob[] = [];
    for (let taken = 0; taken < room + left.length && !signal.aborted; taken += 1) {
      const job = await jobs.take();
      if (job === undefined) break;
      if (!this.#isPlanned(job.assignment)) await jobs.giveBack(job, "over");
      else if (signal.aborted || this.#held.has(job.assignment)) {
        // What has not ended here yet is left to others for this round.
        left.push(job);
        break;
      } else if (this.#holder?.canPerform(job.assignment) === true) this.#hold(job);
      else left.push(job);
    }
    for (const job of left) await jobs.giveBack(job, "now");
  }

  #hold(job: AssignmentJob): void {
    if (this.#holder === undefined) return;
    const { worker, jobs, logger, metrics, clock, restMs } = this.#parts;
    const planned = () => this.#planned(job.assignment);
    const held = new HeldAssignment(job, {
      worker,
      holder: this.#holder,
      jobs,
      logger,
      clock,
      restMs,
      planned,
    });
    this.#held.set(held.assignment, held);
    this.#waiting.delete(held.assignment);
    metrics.assignmentsHeld.set(this.#held.size);
    if (job.isTakenOver) metrics.takeovers.inc();
    held.begin();
    void held.done.then(() => this.#forget(held));
  }

  #forget({ assignment }: HeldAssignment): void {
    this.#held.delete(assignment);
    this.#parts.metrics.assignmentsHeld.set(this.#held.size);
  }

  #sayWhoIsSilent({ silent }: Heard): void {
    const { logger } = this.#parts;
    for (const [worker, assignments] of silent) {
      if (this.#silent.has(worker)) continue;
      logger.warn(
        { worker, assignments },
        `worker ${worker} is silent; unless it returns, its ${assignments.length} assignments go to others`,
      );
    }
    this.#silent = new Set(silent.keys());
  }

  #sayWhatChanged(fromSilent: readonly string[], workers: number): void {
    const { logger } = this.#parts;
    if (fromSilent.length > 0) {
      logger.warn(
        { assignments: fromSilent },
        `${fromSilent.length} assignments of a silent worker now go to others`,
      );
    }
    const assignments = assignmentsOf(this.#plan).length;
    const share = `this worker holds ${this.#held.size} of ${assignments} assignments; workers alive: ${workers}`;
    this.#share = { ...this.#share, before: this.#share.now, now: share };
    // Only what lasts: while assignments move, it is another in every round.
    if (share === this.#share.said || share !== this.#share.before) return;
    this.#share.said = share;
    logger.info({ held: this.#held.size, assignments, workers }, share);
  }
}

const STANDING: ReadonlySet<string> = new Set(STANDING_ASSIGNMENTS);

function assignmentsOf(plan: AssignmentPlan): string[] {
  return [...STANDING_ASSIGNMENTS, ...plan.keys()];
}
