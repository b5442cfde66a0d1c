import { JobMetricsFold, type JobMetricsState } from "../../alerts/job-metrics/fold.ts";
import type { JobMetricsSeeding } from "../../alerts/job-metrics/seeding.ts";
import type { FoldedEvent } from "../../alerts/model/folded-event.ts";
import type { JobSeries } from "../../telemetry/job-metrics.ts";
import { jobSeries } from "./job-series.ts";

/** Counts by job what the log tells, where that is wanted: from the first read of what there is on. */
export class JobCounting {
  readonly #maxJobs: number;
  #fold: JobMetricsFold | undefined;

  /** @param maxJobs 0: nothing is counted. */
  constructor(maxJobs: number, known: JobMetricsState | undefined) {
    this.#maxJobs = maxJobs;
    if (maxJobs > 0 && known !== undefined) this.#fold = new JobMetricsFold(maxJobs, known);
  }

  /** Whether a read of all objects must come first. */
  get needsSeed(): boolean {
    return this.#maxJobs > 0 && this.#fold?.needsSeed !== false;
  }

  /** Undefined: nothing is counted. */
  get state(): JobMetricsState | undefined {
    return this.#fold?.state;
  }

  apply(event: FoldedEvent): void {
    this.#fold?.apply(event);
  }

  /** There is what was read at `at`, ms since 1970. */
  seed(seeding: JobMetricsSeeding, at: number): void {
    if (this.#maxJobs === 0) return;
    this.#fold ??= new JobMetricsFold(this.#maxJobs);
    this.#fold.seed(seeding, at);
  }

  /** What was counted up to `now`, ms since 1970; undefined: nothing is. */
  series(now: number): JobSeries | undefined {
    return this.#fold && jobSeries(this.#fold.counts(now));
  }
}
