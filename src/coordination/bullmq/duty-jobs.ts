import { Queue, Worker, type Job } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "../../telemetry/logger.ts";

const QUEUE = "duties";
/** BullMQ ends a job for good that was taken from dead workers too often; a duty never ends so. */
const NEVER = 2 ** 31 - 1;

/** One duty, fetched and locked. */
export interface DutyJob {
  readonly duty: string;
  readonly token: string;
  readonly job: Job;
}

/**
 * The duties as BullMQ jobs: one each, named by its id, fetched by hand and held for as long as its lock is renewed.
 * BullMQ gives away what is not renewed in time. No event ever travels this way.
 */
export class DutyJobs {
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #name: string;
  readonly #timeoutMs: number;
  readonly #restMs: number;
  #tokens = 0;
  #watchesOthers = false;
  #silent: string[] = [];

  constructor(options: {
    readonly redis: Redis;
    readonly prefix: string;
    readonly worker: string;
    readonly timeoutMs: number;
    readonly restMs: number;
    readonly logger: Logger;
  }) {
    const { redis, prefix, worker, timeoutMs, restMs, logger } = options;
    this.#restMs = restMs;
    this.#redis = redis;
    this.#name = worker;
    this.#timeoutMs = timeoutMs;
    // BullMQ puts the colon behind the prefix itself.
    const shared = { connection: redis, prefix: prefix.slice(0, -1), skipVersionCheck: true };
    this.#queue = new Queue(QUEUE, { ...shared, streams: { events: { maxLen: 100 } } });
    this.#worker = new Worker(QUEUE, null, {
      ...shared,
      name: worker,
      autorun: false,
      lockDuration: timeoutMs,
      stalledInterval: timeoutMs / 2,
      maxStalledCount: NEVER,
    });
    // The log's own connection says what is wrong with Redis, once.
    const onError = (error: Error) => logger.debug({ err: error }, "BullMQ");
    this.#queue.on("error", onError);
    this.#worker.on("error", onError);
    this.#worker.on("stalled", (duty) => this.#silent.push(duty));
  }

  /** Makes a job of each; where there is one already, nothing changes. */
  async offer(duties: readonly string[]): Promise<void> {
    if (duties.length === 0) return;
    await this.#queue.addBulk(
      duties.map((duty) => ({
        name: "duty",
        data: {},
        opts: { jobId: duty, removeOnComplete: true, removeOnFail: true },
      })),
    );
  }

  /** A duty that nobody holds; undefined where there is none. */
  async take(): Promise<DutyJob | undefined> {
    const token = `${this.#name}/${(this.#tokens += 1)}`;
    // Undefined where there is none, whatever the type says.
    const job: Job | undefined = await this.#worker.getNextJob(token, { block: false });
    return job?.id === undefined ? undefined : { duty: job.id, token, job };
  }

  /** Keeps the locks. Answers the duties whose lock went to somebody else. */
  async renew(held: readonly DutyJob[]): Promise<readonly string[]> {
    if (held.length === 0) return [];
    const duties = held.map(({ duty }) => duty);
    const tokens = held.map(({ token }) => token);
    return this.#worker.extendJobLocks(duties, tokens, this.#timeoutMs);
  }

  /** Gives back: to whoever comes next, or after a rest, or to nobody, for it is over. */
  async giveBack({ job, token }: DutyJob, how: "now" | "rested" | "over"): Promise<void> {
    if (how === "over") await job.moveToCompleted(null, token, false);
    else if (how === "now") await job.moveToWait(token);
    else await job.moveToDelayed(Date.now() + this.#restMs, token);
  }

  /** Duties that were taken from workers that say nothing, since the last call; from the first call on it is looked. */
  async takenFromSilent(): Promise<readonly string[]> {
    if (!this.#watchesOthers) await this.#worker.startStalledCheckTimer();
    this.#watchesOthers = true;
    const silent = this.#silent;
    this.#silent = [];
    return silent;
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
    await Promise.allSettled([this.#worker.close(true), this.#queue.close()]);
  }
}
