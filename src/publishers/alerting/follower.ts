import { AlertFold } from "../../alerts/fold.ts";
import { JobMetricsSeeding } from "../../alerts/job-metrics/seeding.ts";
import { FoldedEvent } from "../../alerts/model/folded-event.ts";
import { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { AnyRule } from "../../alerts/rules/rule.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { JobSeries } from "../../telemetry/job-metrics.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Reader } from "../delivery/reader.ts";
import { BATCH_LIMITS } from "../fanout/batch.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { readCluster, readJobs, untilRead, type ClusterDeps } from "./cluster.ts";
import { viewOf, type View } from "./firing.ts";
import type { SavedFold } from "./fold-text.ts";
import { JobCounting } from "./job-counting.ts";
import type { LogClock } from "./log-clock.ts";
import { EventsLost, lossOf, lossText } from "./losses.ts";
import { patiently } from "./patiently.ts";

/** Whoever has not looked for longer goes on from what is true now, not from what comes first. */
const AWAY_MS = 30_000;

/** Of what ends well, it is remembered how young it was: nothing before it counts any more. */
const HAVE_ENDS: ReadonlySet<string | null> = new Set(["allocations", "deployments"]);

export interface FollowerDeps extends Fanout, Omit<ClusterDeps, "log"> {
  readonly log: FeedLog;
  readonly logger: Logger;
  /** How many jobs are counted each by itself; 0: none is counted. */
  readonly metricsMaxJobs: number;
}

/** Takes an event into the fold of alerts. */
type Take = (entry: LogEntry, event: FoldedEvent) => void;

/** What it tells of. */
interface Told {
  /** The fold is another, or has come further. */
  readonly changed: () => void;
  /** The fold is not what came of the one before by events alone. */
  readonly replaced: () => void;
}

/** Keeps the fold at the log's end, and what is counted of jobs beside it: each event is in both, or in neither. */
export class Follower {
  readonly #deps: FollowerDeps;
  readonly #time: LogClock;
  readonly #told: Told;
  #rules: RuleSet;
  #fold: AlertFold;
  readonly #jobs: JobCounting;
  /** All events up to there are folded; undefined: the fold begins with a read of everything. */
  #cursor: Cursor | undefined;
  #needsRead = false;
  #isWaiting = false;
  /** When it last looked, by the log's time. */
  #lookedAtMs = 0;

  constructor(
    rules: readonly AnyRule[],
    known: SavedFold | undefined,
    { time, told, ...deps }: FollowerDeps & { readonly time: LogClock; readonly told: Told },
  ) {
    this.#deps = deps;
    this.#time = time;
    this.#told = told;
    this.#rules = new RuleSet(rules);
    this.#fold = new AlertFold(this.#rules, known?.state);
    this.#jobs = new JobCounting(deps.metricsMaxJobs, known?.jobs);
    this.#cursor = known?.cursor;
  }

  /** Whether it waits for the scopes to be read. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** When it last looked, by the log's time: ms since 1970. */
  get lookedAtMs(): number {
    return this.#lookedAtMs;
  }

  /** What there is to go on from elsewhere. */
  get saved(): SavedFold | undefined {
    return this.#cursor && { cursor: this.#cursor, state: this.#fold.state, jobs: this.#jobs.state };
  }

  view(shared: Readonly<Record<string, string>>): View {
    return viewOf(this.#fold, this.#rules, shared);
  }

  /** What is counted of jobs up to now; undefined: nothing is. */
  get jobs(): JobSeries | undefined {
    return this.#jobs.series(this.#time.now());
  }

  /** Goes on by other rules. */
  configure(rules: readonly AnyRule[]): void {
    this.#rules = new RuleSet(rules);
    this.#fold = new AlertFold(this.#rules, this.#fold.state);
    this.#told.replaced();
    this.#told.changed();
  }

  /** How many events are not folded yet; undefined: not known. */
  get lag(): number | undefined {
    return this.#cursor && this.#deps.ring.behindBy(this.#cursor);
  }

  /** Time has come so far, and everything before is folded. */
  tick(): void {
    this.#looksAt(this.#time.now());
    this.#fold.tick(this.#time.now());
    this.#told.changed();
  }

  /**
   * Brings the fold to the log's end, so that what is told first is not of the past; `awayMs`: for how long nobody
   * looked, less than 0 where the log's clock was set back since.
   */
  async start(awayMs: number, signal: AbortSignal): Promise<void> {
    const knowsNothing = this.#cursor === undefined || this.#fold.needsSeed;
    const wasAway = knowsNothing || Math.abs(awayMs) > AWAY_MS;
    this.#isWaiting = wasAway;
    this.#lookedAtMs = this.#time.now() - awayMs;
    if (wasAway) await untilRead(this.#deps, signal);
    this.#isWaiting = false;
    if (signal.aborted) return;
    if (knowsNothing) await this.#begin();
    else await this.#overLosses(() => (wasAway ? this.#comeBack() : this.#goOn()));
    if (this.#jobs.needsSeed) await this.#beginToCount();
    this.#lookedAtMs = this.#time.now();
  }

  /** Nobody looked for a while, as while the log was away, or the clock was set: what was pending must hold anew. */
  #looksAt(now: number): void {
    const isGap = Math.abs(now - this.#lookedAtMs) > AWAY_MS;
    this.#lookedAtMs = now;
    if (isGap) this.#resume(now);
  }

  #resume(now: number): void {
    this.#fold.resume(now);
    this.#told.replaced();
  }

  /** Folds what comes, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await patiently(this.#deps.clock, signal, () => this.#followOn(signal));
  }

  /** From all objects there are. */
  async #begin(): Promise<void> {
    const jobs = new JobMetricsSeeding();
    const { cursor, seeding } = await readCluster(this.#deps, jobs);
    // The log may have been away before that could be read.
    this.#looksAt(this.#time.now());
    await this.#takeWhatWasRead(cursor);
    this.#needsRead = false;
    this.#fold.seedFrom(seeding, this.#time.now());
    this.#jobs.seed(jobs, this.#time.now());
    this.#cursor = cursor;
    this.#told.replaced();
    this.#told.changed();
  }

  /** Of a log in which alerts were made and jobs were not counted, or fewer. */
  async #beginToCount(): Promise<void> {
    const jobs = new JobMetricsSeeding();
    await this.#takeWhatWasRead(await readJobs(this.#deps, jobs));
    this.#jobs.seed(jobs, this.#time.now());
    this.#told.replaced();
  }

  /** What happened before a read of all objects is counted, unless it is gone. */
  async #takeWhatWasRead(end: Cursor): Promise<void> {
    if (this.#cursor?.epoch !== end.epoch) return;
    const take = this.#fold.needsSeed ? this.#unseen : this.#seen;
    try {
      await this.#takeUpTo(end.sequence, take);
    } catch (error) {
      if (lossOf(error) === undefined) throw error;
    }
  }

  /** Folds what was recorded since, as if it had been followed. */
  async #goOn(): Promise<void> {
    await this.#toTheEnd(this.#seen);
    if (this.#needsRead) await this.#begin();
    else this.#told.changed();
  }

  /** Takes what was recorded while nobody looked, and looks at what has come of it. */
  async #comeBack(): Promise<void> {
    await this.#toTheEnd(this.#unseen);
    this.#resume(this.#time.now());
    if (this.#needsRead) await this.#begin();
    else this.#told.changed();
  }

  /** Where events are gone that the work would take, everything is read. */
  async #overLosses(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = lossOf(error);
      if (reason === undefined) throw error;
      this.#deps.logger.warn({ reason }, "alerts go on from the objects there are: events before are gone");
      this.#lose(reason);
      await this.#begin();
    }
  }

  #lose(reason: string): void {
    this.#looksAt(this.#time.now());
    this.#fold.gap(this.#time.now(), reason);
  }

  async #toTheEnd(take: Take): Promise<void> {
    const { sequence } = await this.#deps.log.head();
    await this.#takeUpTo(sequence, take);
  }

  /** And no further. */
  async #takeUpTo(end: number, take: Take): Promise<void> {
    for (let cursor = this.#cursor; cursor !== undefined; cursor = this.#cursor) {
      const read = await this.#deps.log.read(cursor, BATCH_LIMITS);
      const entries = read.filter(({ sequence }) => sequence <= end);
      for (const entry of entries) this.#take(entry, take);
      const last = entries.at(-1)?.sequence ?? end;
      this.#cursor = { epoch: cursor.epoch, sequence: last };
      if (last >= end) return;
    }
  }

  async #followOn(signal: AbortSignal): Promise<void> {
    try {
      await this.#followFrom(this.#cursor, signal);
    } catch (error) {
      if (!(error instanceof EventsLost)) throw error;
      this.#lose(error.message);
      this.#needsRead = true;
    }
    if (this.#needsRead && !signal.aborted) await this.#begin();
  }

  /** Until `signal` aborts, or everything has to be read. */
  async #followFrom(cursor: Cursor | undefined, signal: AbortSignal): Promise<void> {
    if (cursor === undefined) throw new Error("there is no place to follow from");
    using reader = new Reader({ cursor, recordedAt: null }, {}, this.#deps);
    while (!signal.aborted && !this.#needsRead) {
      const read = await reader.next(signal);
      if (read === undefined) return;
      if ("gap" in read) throw new EventsLost(lossText(read.gap.reason));
      if (read.entries.length > 0) this.#looksAt(this.#time.now());
      for (const entry of read.entries) this.#take(entry, this.#seen);
      this.#cursor = read.place.cursor;
      this.#told.changed();
    }
  }

  readonly #seen: Take = (entry, event) => this.#fold.apply(entry, event);
  readonly #unseen: Take = (entry, event) => this.#fold.takeUnseen(entry, event);

  #take(entry: LogEntry, take: Take): void {
    const event = this.#dated(new FoldedEvent(entry));
    take(entry, event);
    this.#jobs.apply(event);
    // Of the objects of such a scope there may have been no events.
    if (entry.type === "nomad.feed.baseline") this.#needsRead = true;
    // By their indexes they are told apart from those before: after a restore of Nomad that holds anew.
    if (entry.type === "nomad.feed.resync" && HAVE_ENDS.has(entry.resource)) {
      this.#needsRead ||= event.data["phase"] === "end";
    }
  }

  /**
   * Events are dated by the clock of whoever read them, which may be ahead; and one that was read while nobody looked, and
   * held back, says nothing of how long it was so.
   */
  #dated(event: FoldedEvent): FoldedEvent {
    const now = this.#time.now();
    // The log's clock may have been set back since somebody looked again.
    const seenAt = Math.max(event.at, this.#fold.resumedAt ?? event.at);
    const isAhead = seenAt > now + AWAY_MS;
    // Whoever folds it anew, later, would date it otherwise.
    if (isAhead) this.#told.replaced();
    const at = isAhead ? now : seenAt;
    return at === event.at ? event : new FoldedEvent(event.facts, at);
  }
}
