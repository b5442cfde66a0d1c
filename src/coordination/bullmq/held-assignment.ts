import type { AssignmentStatus } from "../../schemas/assignment-schema.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { NOTHING_TO_REPORT, type AssignmentHolder, type Ending } from "../coordination.ts";
import type { AssignmentJob, AssignmentJobs } from "./assignment-jobs.ts";

export interface HeldAssignmentParts {
  readonly worker: string;
  readonly holder: AssignmentHolder;
  readonly jobs: AssignmentJobs;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly restMs: number;
  /** What the plan says of the assignment now; undefined where it is planned no more. */
  readonly planned: () => "perform" | "finish" | undefined;
}

/**
 * An assignment from the moment it was fetched until it was given back.
 *
 *     performing ─▶ (failed, done) resting ─▶ given back
 *          └─────────── let go ───────────────────▲      lost: somebody else has it, nothing is given back
 */
export class HeldAssignment {
  readonly job: AssignmentJob;
  readonly since: string;
  readonly #parts: HeldAssignmentParts;
  readonly #abort = new AbortController();
  #resting: string | undefined;
  #lost = false;
  #done: Promise<void> = Promise.resolve();

  constructor(job: AssignmentJob, parts: HeldAssignmentParts) {
    this.job = job;
    this.#parts = parts;
    this.since = new Date(parts.clock.now()).toISOString();
  }

  begin(): void {
    this.#done = this.#hold();
  }

  /** Resolves when it is not held any more; never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  get assignment(): string {
    return this.job.assignment;
  }

  /** Whether it is on its way to somebody else, or to nobody. */
  get leaving(): boolean {
    return this.#abort.signal.aborted;
  }

  letGo(why: string): void {
    this.#abort.abort(new Error(why));
  }

  /** Somebody else may have it by now. */
  lose(): void {
    this.#lost = true;
    this.letGo("the assignment is not this worker's any more");
  }

  report(): AssignmentStatus {
    const { assignment, since } = this;
    const { worker, holder } = this.#parts;
    if (this.#resting !== undefined) {
      const nobody = { state: "waiting" as const, worker: null, since: null };
      return { assignment, ...nobody, ...NOTHING_TO_REPORT, reason: this.#resting };
    }
    return { assignment, state: "held", worker, since, ...holder.describe(assignment) };
  }

  async #hold(): Promise<void> {
    const { jobs, logger, planned } = this.#parts;
    const ending = await this.#perform();
    if (ending === "failed") await this.#rest("it failed and is about to be begun again");
    if (ending === "drained")
      await this.#rest("it ended and is about to be begun again, if it is still planned");
    if (this.#lost) return;
    const isOver = planned() === undefined || (ending === "drained" && planned() === "finish");
    try {
      await jobs.giveBack(this.job, isOver ? "over" : "now");
    } catch (error) {
      // Its lock ends by itself, and then somebody takes it.
      logger.debug({ err: error, assignment: this.assignment }, "cannot give an assignment back");
    }
  }

  async #perform(): Promise<Ending | "failed"> {
    const { holder, logger } = this.#parts;
    try {
      return await holder.perform(this.assignment, this.#abort.signal);
    } catch (error) {
      if (this.leaving) return "stopped";
      logger.error(
        { err: error, assignment: this.assignment },
        "assignment failed; this or another worker will retry it",
      );
      return "failed";
    }
  }

  /** In our hands, so that nobody begins it at once. */
  async #rest(why: string): Promise<void> {
    this.#resting = why;
    await this.#parts.clock.sleep(this.#parts.restMs, this.#abort.signal);
  }
}
