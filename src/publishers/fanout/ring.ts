import type { Appended, FeedLog } from "../../feed/log.ts";
import { LogUnavailable } from "../../feed/errors.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { Batch, BATCH_LIMITS } from "./batch.ts";
import type { FairScheduler } from "./fair-scheduler.ts";
import { Inbox } from "./inbox.ts";

/** What the ring holds at most: bytes of events and of their frames, and events. */
const RING_LIMITS = { maxBytes: 16 * 1024 * 1024, maxEvents: 8192 };
/** The log wakes its reader; but of an epoch that ended and of events that went, it has to be asked. */
const WAIT_MS = 5000;
const RETRY_MS = 500;

export interface RingOptions {
  readonly log: FeedLog;
  readonly scheduler: FairScheduler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "ringBytes" | "ringEvents">;
  readonly limits?: { readonly maxBytes: number; readonly maxEvents: number };
}

/**
 * The newest events of the log, read once for all subscribers of the process. While there are members it follows the
 * log's end, one batch at a time: the next one once every member had its turn with the last. What this process commits is
 * handed to it; it reads what is not, because others wrote, or came in between, or too much waits already.
 *
 * Where the log cannot be read, or is of another epoch, the ring empties itself and begins again at the log's end;
 * members read for themselves meanwhile, and so each learns what is wrong with its own cursor.
 */
export class Ring {
  readonly #options: RingOptions;
  readonly #limits: { readonly maxBytes: number; readonly maxEvents: number };
  readonly #members = new Set<() => void>();
  #stop: AbortController | undefined;
  #waiting: AbortController | undefined;
  #batches: Batch[] = [];
  #bytes = 0;
  #events = 0;
  readonly #inbox = new Inbox();
  #isPuttingOut = false;
  /** Where the newest batch ends; undefined while the log is not followed. */
  #end: Cursor | undefined;

  constructor(options: RingOptions) {
    this.#options = options;
    this.#limits = options.limits ?? RING_LIMITS;
  }

  /** `onNews` is called when `next` may answer something else than before. The returned function ends that. */
  join(onNews: () => void): () => void {
    this.#members.add(onNews);
    if (this.#stop === undefined) this.#begin();
    return () => {
      this.#members.delete(onNews);
      if (this.#members.size === 0) this.#finish();
    };
  }

  /**
   * The batch that goes on after the cursor; it may begin before it. Undefined: there is none yet, news come.
   * "behind": the log has to be asked.
   */
  next({ epoch, sequence }: Cursor): Batch | "behind" | undefined {
    if (this.#end?.epoch !== epoch) {
      // Whether the ring's epoch is over, it finds out now rather than later.
      this.#waiting?.abort();
      return "behind";
    }
    if (sequence >= this.#end.sequence) return undefined;
    const oldest = this.#batches[0];
    if (oldest === undefined || sequence < oldest.after.sequence) return "behind";
    return this.#batches[this.#positionOf(sequence)];
  }

  /** Lets go of the events it holds: each member reads them from the log itself, which now gives them otherwise. */
  forget(): void {
    this.#finish();
    if (this.#members.size > 0) this.#begin();
    this.#announce();
  }

  /** How many events of the log come after the cursor; undefined where that is not known. */
  behindBy({ epoch, sequence }: Cursor): number | undefined {
    return this.#end?.epoch === epoch ? this.#end.sequence - sequence : undefined;
  }

  /** Where the batch is that holds the event after `sequence`. */
  #positionOf(sequence: number): number {
    let low = 0;
    let high = this.#batches.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#batches[middle]?.last ?? 0) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #begin(): void {
    this.#stop = new AbortController();
    void this.#run(this.#stop.signal);
  }

  #finish(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.#waiting?.abort();
    this.#clear();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        // Who uses the log for the feed's own work says that it is away.
        const level = error instanceof LogUnavailable ? "debug" : "warn";
        this.#options.logger[level]({ err: error }, "cannot follow the log; retrying");
        this.#clear();
        this.#announce();
        await this.#options.clock.sleep(RETRY_MS, signal);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    const { epoch, sequence } = await log.head();
    if (signal.aborted) return;
    this.#end = { epoch, sequence };
    this.#announce();
    for (let end: Cursor | undefined = this.#end; end !== undefined; end = this.#end) {
      const entries = await log.read(end, BATCH_LIMITS);
      if (signal.aborted) return;
      if (entries.length > 0) {
        const batch = new Batch(end, entries, this.#grow);
        this.#push(batch);
        await this.#turnOfAll();
        if (signal.aborted) return;
        if (isFull(batch)) continue;
      }
      // Where there is more all the same, this ends at once.
      await this.#wait();
      if (signal.aborted) return;
    }
  }

  /** Until there is something to read, or it is time to ask. Takes what is handed over meanwhile. */
  async #wait(): Promise<void> {
    if (this.#end === undefined) return;
    this.#inbox.begin(this.#end);
    this.#waiting = new AbortController();
    await this.#options.log.waitBeyond(this.#end.sequence, {
      timeoutMs: WAIT_MS,
      signal: this.#waiting.signal,
      take: (appended) => this.#take(appended),
    });
    // What the log has next comes after that.
    while (!this.#inbox.isEmpty) await this.#turnOfAll();
  }

  #take(appended: Appended): boolean {
    if (!this.#inbox.take(appended)) return false;
    if (!this.#isPuttingOut) this.#options.scheduler.schedule(this.#putOut);
    this.#isPuttingOut = true;
    return true;
  }

  /** One batch; the next when the members had their turn. */
  readonly #putOut = (): void => {
    const batch = this.#inbox.next(this.#grow);
    this.#isPuttingOut = batch !== undefined;
    if (batch === undefined) return;
    this.#push(batch);
    this.#options.scheduler.schedule(this.#putOut);
  };

  /** Members were waiting before: when this turn comes, each of them had one. */
  #turnOfAll(): Promise<void> {
    return new Promise((resolve) => this.#options.scheduler.schedule(resolve));
  }

  #announce(): void {
    for (const onNews of this.#members) onNews();
  }

  #push(batch: Batch): void {
    this.#batches.push(batch);
    this.#end = { epoch: batch.after.epoch, sequence: batch.last };
    this.#events += batch.entries.length;
    this.#grow(batch.bytes);
    this.#announce();
  }

  /** The newest batch stays, however large it is. */
  readonly #grow = (bytes: number): void => {
    const { maxBytes, maxEvents } = this.#limits;
    this.#bytes += bytes;
    while (this.#batches.length > 1 && (this.#bytes > maxBytes || this.#events > maxEvents)) {
      const oldest = this.#batches.shift();
      this.#bytes -= oldest?.bytes ?? 0;
      this.#events -= oldest?.entries.length ?? 0;
    }
    this.#measure();
  };

  #clear(): void {
    this.#inbox.begin(undefined);
    this.#batches = [];
    this.#bytes = 0;
    this.#events = 0;
    this.#end = undefined;
    this.#measure();
  }

  #measure(): void {
    const { ringBytes, ringEvents } = this.#options.metrics;
    ringBytes.set(this.#bytes);
    ringEvents.set(this.#events);
  }
}

/** Whether the log is likely to hold more than what was read. */
function isFull({ entries, jsonBytes }: Batch): boolean {
  return entries.length === BATCH_LIMITS.limit || jsonBytes > BATCH_LIMITS.maxBytes / 2;
}
