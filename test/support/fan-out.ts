import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as others } from "node:timers/promises";
import { LogUnavailable } from "../../src/feed/errors.ts";
import type { Appended, FeedLog, WaitOptions } from "../../src/feed/log.ts";
import { formOf } from "../../src/publishers/selection/payload.ts";
import type { EventFilter } from "../../src/publishers/selection/event-filter.ts";
import { ConnectionFrames } from "../../src/publishers/connection/frames.ts";
import { Ring } from "../../src/publishers/fanout/ring.ts";
import { ClientGone, Subscriber, type Ending } from "../../src/publishers/fanout/subscriber.ts";
import { FairScheduler } from "../../src/publishers/fanout/fair-scheduler.ts";
import { SharedSelectors } from "../../src/publishers/fanout/event-selector.ts";
import type { Cursor } from "../../src/schemas/cursor.ts";
import { sealDraft, type EventDraft } from "../../src/schemas/draft.ts";
import { systemClock, type Clock } from "../../src/shared/clock.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeSink } from "./fake-sink.ts";
import { openSqlite } from "./sqlite-files.ts";

const SOURCE = "nomad://test/global";
const SCOPE = { resource: "allocations", namespace: "*" } as const;

/** Nobody waits long for a log that was away. */
const CLOCK: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(Math.min(ms, 5), signal) };

/** What becomes of a commit on its way to the ring: nothing, it is lost, it comes twice, or behind the next one. */
export type HandOver = "whole" | "lost" | "twice" | "late";

/** A subscriber on a fake connection. */
export interface Fanned {
  readonly sink: FakeSink;
  readonly start: Cursor;
  readonly ending: Promise<Ending>;
  /** Set once it ended. */
  ended: Ending | undefined;
  leave(): void;
}

/** A real log, a small ring on it, and subscribers whose connections are the test's. */
export class FanOut implements AsyncDisposable {
  readonly log: FeedLog;
  readonly ring: Ring;
  readonly metrics = createMetrics();
  readonly scheduler = new FairScheduler(CLOCK);
  readonly #directory: string;
  readonly #selectors = new SharedSelectors();
  readonly #subscribers: Fanned[] = [];
  #isAway = false;
  #calls = 0;
  #late: Appended | undefined;
  handOver: HandOver = "whole";
  /** Reads of the log, by the ring and by subscribers. */
  reads = 0;
  #fence = 0;
  #rev = 0;

  private constructor(log: FeedLog, directory: string, ringLimits: { maxBytes: number; maxEvents: number }) {
    this.log = log;
    this.#directory = directory;
    this.ring = new Ring({
      log: this.#breakable(),
      scheduler: this.scheduler,
      logger: silentLogger(),
      metrics: this.metrics,
      limits: ringLimits,
      clock: CLOCK,
    });
  }

  static async open(ringLimits = { maxBytes: 8192, maxEvents: 16 }): Promise<FanOut> {
    const directory = await mkdtemp(join(tmpdir(), "ncf-fan-out-"));
    const log = await openSqlite({ path: join(directory, "feed.db"), source: SOURCE, fsync: false });
    return new FanOut(log, directory, ringLimits);
  }

  async commit(events: readonly EventDraft[]): Promise<void> {
    if (this.#fence === 0) this.#fence = (await this.log.claim(SCOPE, "test")).fence;
    const expectedRev = this.#rev;
    const commitId = `commit-${expectedRev}`;
    const commit = { scope: SCOPE, fence: this.#fence, expectedRev, commitId, events, state: [] };
    this.#rev = (await this.log.commit(commit)).rev;
  }

  /** As another program that writes to the file: nobody here is told. */
  commitElsewhere(event: EventDraft): void {
    using database = new DatabaseSync(join(this.#directory, "feed.db"));
    const meta = database.prepare("SELECT epoch, sequence + 1 AS sequence FROM meta").get();
    const { epoch, sequence } = meta as { epoch: string; sequence: number };
    const { id, type, resource, namespace, key, op, severity, time } = event;
    const facts = { id, type, resource, namespace, key, op, severity, time };
    const json = sealDraft(event, epoch, sequence);
    const row = { ...facts, sequence, recorded_at: "2026-08-22T10:15:30.123Z", signals: "[]", data: json };
    const names = Object.keys(row);
    database.exec("BEGIN IMMEDIATE");
    database
      .prepare(`INSERT INTO events (${names.join()}) VALUES (${names.map(() => "?").join()})`)
      .run(...Object.values(row));
    database.prepare("UPDATE meta SET sequence = ?").run(sequence);
    database.exec("COMMIT");
  }

  /** Every cursor given out before is of another epoch from now on. */
  changeEpoch(epoch: string): void {
    const database = new DatabaseSync(join(this.#directory, "feed.db"));
    database.prepare("UPDATE meta SET epoch = ? WHERE one = 1").run(epoch);
    database.close();
  }

  /** Whatever is asked of the log fails until it is back. */
  setAway(isAway: boolean): void {
    this.#isAway = isAway;
  }

  async subscribe(
    sequence: number,
    {
      filter,
      name,
      limit,
      catchUpTimeoutMs = 60_000,
    }: { filter: EventFilter; name: string; limit?: number | undefined; catchUpTimeoutMs?: number },
  ): Promise<Fanned> {
    const head = await this.log.head();
    const start = { epoch: head.epoch, sequence: Math.min(Math.max(sequence, head.floor), head.sequence) };
    const sink = new FakeSink();
    const { selector, release } = this.#selectors.share(name, formOf(sink.encode, "full"), () => filter);
    const controller = new AbortController();
    const subscriber = new Subscriber({
      log: this.#breakable(),
      ring: this.ring,
      scheduler: this.scheduler,
      clock: CLOCK,
      sink,
      frames: new ConnectionFrames({ source: SOURCE, connectionId: "c", nowMs: () => 0 }),
      start: { cursor: start, head },
      selector,
      ...(limit !== undefined && { limit }),
      bookmarkIntervalMs: 60_000,
      stallTimeoutMs: 600_000,
      catchUpTimeoutMs,
    });
    const ending = subscriber.run(controller.signal).finally(release);
    const fanned: Fanned = {
      sink,
      start,
      ending,
      ended: undefined,
      leave: () => controller.abort(new ClientGone()),
    };
    void ending.then((ended) => (fanned.ended = ended));
    this.#subscribers.push(fanned);
    return fanned;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const subscriber of this.#subscribers) subscriber.leave();
    await Promise.all(this.#subscribers.map(({ ending }) => ending));
    await this.log[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #breakable(): FeedLog {
    const answering = new Set<PropertyKey>(["read", "head"]);
    return new Proxy(this.log, {
      get: (target, name) => {
        if (name === "waitBeyond") return this.#waitBeyond.bind(this);
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]): Promise<unknown> => {
          if (this.#isAway && answering.has(name)) throw new LogUnavailable("The log is away");
          // As over a network: what is asked arrives later, and what the answer says may be old when it comes.
          const calls = (this.#calls += 1);
          const isDelayed = name === "read" || name === "head";
          if (isDelayed) await turns(calls % 3);
          if (name === "read") this.reads += 1;
          const answer: unknown = await Reflect.apply(value, target, given);
          if (isDelayed) await turns((calls * 7) % 4);
          return answer;
        };
      },
    });
  }

  async #waitBeyond(sequence: number, { take, ...options }: WaitOptions): Promise<boolean> {
    if (this.#isAway) throw new LogUnavailable("The log is away");
    const offer = take && ((appended: Appended) => !this.#isAway && this.#offer(appended, take));
    return this.log.waitBeyond(sequence, { ...options, ...(offer && { take: offer }) });
  }

  #offer(appended: Appended, take: (appended: Appended) => boolean): boolean {
    if (this.handOver === "lost") return false;
    if (this.handOver === "late") {
      const before = this.#late;
      this.#late = appended;
      return before !== undefined && take(before);
    }
    const isTaken = take(appended);
    if (this.handOver === "twice" && take(appended)) throw new Error("it was taken twice");
    return isTaken;
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await others();
}
