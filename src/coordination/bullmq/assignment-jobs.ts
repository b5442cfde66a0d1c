import { Queue, Worker, type Job } from "bullmq";
import type { Redis } from "ioredis";
import type { Connection } from "../../feed/redis/connection.ts";
import { Reply } from "../../feed/redis/reply.ts";
import { script } from "../../feed/redis/scripts.ts";
import type { Logger } from "../../telemetry/logger.ts";

// The name under which Redis holds them.
const QUEUE = "duties";
/** BullMQ ends a job for good that was taken from dead workers too often; an assignment never ends so. */
const NEVER = 2 ** 31 - 1;
/** BullMQ counts here, in a job, how often its lock ended: for us, whether it did since somebody took it. */
const LOCK_ENDS = "stc";

/**
 * Locks again what nobody has taken since its lock ended, as when Redis stood still for longer than that: BullMQ
 * itself would give it up, and every worker would begin every assignment anew.
 * ARGV: ms, then assignments and tokens as pairs.
 * Answers the assignments that are somebody else's, or nobody's to hold.
 */
const RELOCK = script(`
local jobs, lost = PREFIX .. '${QUEUE}:', {}
for n = 2, #ARGV, 2 do
  local assignment, token = ARGV[n], ARGV[n + 1]
  local free = redis.call('EXISTS', jobs .. assignment .. ':lock') == 0
  if free and redis.call('LREM', jobs .. 'wait', 0, assignment) > 0 then redis.call('LPUSH', jobs .. 'active', assignment) end
  if free and redis.call('LPOS', jobs .. 'active', assignment) then
    redis.call('SET', jobs .. assignment .. ':lock', token, 'PX', ARGV[1])
    redis.call('SREM', jobs .. 'stalled', assignment)
    redis.call('HDEL', jobs .. assignment, '${LOCK_ENDS}')
  else
    lost[#lost + 1] = assignment
  end
end
return lost
`);

/** How often, within the time after which a lock ends, BullMQ checks for locks that ended. */
const STALLED_CHECKS = 5;

/** One assignment, fetched and locked. */
export interface AssignmentJob {
  readonly assignment: string;
  readonly token: string;
  readonly job: Job;
  /** Whether who held it last died or fell silent, and did not give it back. */
  readonly isTakenOver: boolean;
}

/**
 * The assignments as BullMQ jobs: one each, named by its id, fetched by hand and held for as long as its lock is
 * renewed. BullMQ gives away what is not renewed in time. No event ever travels this way, and no worker's clock
 * matters: locks end by the clock of Redis, and nothing is delayed by BullMQ, which would compare the clocks of two
 * workers.
 */
export class AssignmentJobs {
  readonly #redis: Redis;
  readonly #connection: Connection;
  readonly #queue: Queue;
  readonly #worker: Worker;
  readonly #name: string;
  readonly #timeoutMs: number;
  #tokens = 0;
  #watchesOthers = false;
  #silent: string[] = [];
  /** Ends the wait for each command under way. */
  readonly #pending = new Set<(reason: Error) => void>();
  #closed = false;

  constructor(options: {
    /** Waits for Redis for as long as it takes: BullMQ demands it. */
    readonly redis: Redis;
    readonly connection: Connection;
    readonly prefix: string;
    readonly worker: string;
    readonly timeoutMs: number;
    readonly logger: Logger;
  }) {
    const { redis, connection, prefix, worker, timeoutMs, logger } = options;
    this.#redis = redis;
    this.#connection = connection;
    this.#name = worker;
    this.#timeoutMs = timeoutMs;
    // The log's own connection says what is wrong with Redis, once.
    const onError = (error: Error) => logger.debug({ err: error }, "BullMQ");
    redis.on("error", onError);
    // BullMQ puts the colon behind the prefix itself.
    const shared = { connection: redis, prefix: prefix.slice(0, -1), skipVersionCheck: true };
    this.#queue = new Queue(QUEUE, { ...shared, streams: { events: { maxLen: 100 } } });
    this.#worker = new Worker(QUEUE, null, {
      ...shared,
      name: worker,
      autorun: false,
      lockDuration: timeoutMs,
      stalledInterval: timeoutMs / STALLED_CHECKS,
      maxStalledCount: NEVER,
    });
    this.#queue.on("error", onError);
    this.#worker.on("error", onError);
    this.#worker.on("stalled", (assignment) => this.#silent.push(assignment));
  }

  /** Makes a job of each; where there is one already, nothing changes. */
  async offer(assignments: readonly string[]): Promise<void> {
    if (assignments.length === 0) return;
    const opts = { removeOnComplete: true, removeOnFail: true };
    const jobs = assignments.map((assignment) => ({
      name: "assignment",
      data: {},
      opts: { ...opts, jobId: assignment },
    }));
    await this.#untilClosed(() => this.#queue.addBulk(jobs));
  }

  /** An assignment that nobody holds; undefined where there is none. */
  async take(): Promise<AssignmentJob | undefined> {
    const token = `${this.#name}/${(this.#tokens += 1)}`;
    // Undefined where there is none, whatever the type says.
    const job: Job | undefined = await this.#untilClosed(() =>
      this.#worker.getNextJob(token, { block: false }),
    );
    if (job?.id === undefined) return undefined;
    const isTakenOver = job.stalledCounter > 0;
    // Where that fails, it counts as taken over once more when it goes to the next.
    if (isTakenOver)
      await this.#connection.call("HDEL", this.#queue.toKey(job.id), LOCK_ENDS).catch(() => undefined);
    return { assignment: job.id, token, job, isTakenOver };
  }

  /** Keeps the locks. Answers the assignments that are not held any more. */
  async renew(held: readonly AssignmentJob[]): Promise<readonly string[]> {
    if (held.length === 0) return [];
    const assignments = held.map(({ assignment }) => assignment);
    const tokens = held.map(({ token }) => token);
    const failed = await this.#untilClosed(() =>
      this.#worker.extendJobLocks(assignments, tokens, this.#timeoutMs),
    );
    if (failed.length === 0) return [];
    const pairs = held
      .filter(({ assignment }) => failed.includes(assignment))
      .flatMap(({ assignment, token }) => [assignment, token]);
    const reply = await this.#connection.run(RELOCK, [this.#timeoutMs, ...pairs]);
    return new Reply(reply, this.#connection.source("the answer to RELOCK")).texts();
  }

  /** Gives back: to whoever comes next, or to nobody, for it is over. */
  async giveBack({ job, token }: AssignmentJob, how: "now" | "over"): Promise<void> {
    await this.#untilClosed(async () => {
      if (how === "over") await job.moveToCompleted(null, token, false);
      else await job.moveToWait(token);
    });
  }

  /** Assignments that were taken from silent workers since the last call; the first call begins to watch for them. */
  async takenFromSilent(): Promise<readonly string[]> {
    if (!this.#watchesOthers) await this.#worker.startStalledCheckTimer();
    this.#watchesOthers = true;
    const silent = this.#silent;
    this.#silent = [];
    return silent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#redis.disconnect();
    for (const reject of this.#pending) reject(closed());
    await Promise.allSettled([this.#worker.close(true), this.#queue.close()]);
  }

  /** A client that is disconnected while it looks for its server forgets what it was asked, and never answers. */
  async #untilClosed<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    const { promise: end, reject } = Promise.withResolvers<never>();
    this.#pending.add(reject);
    try {
      return await Promise.race([work(), end]);
    } finally {
      this.#pending.delete(reject);
    }
  }
}

function closed(): Error {
  return new Error("the connection to Redis was closed");
}
