import { AlertFold } from "../../alerts/fold.ts";
import { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { AnyRule } from "../../alerts/rules/rule.ts";
import type { FeedLog } from "../../feed/log.ts";
import type { Cursor } from "../../schemas/cursor.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Reader } from "../delivery/reader.ts";
import { BATCH_LIMITS } from "../fanout/batch.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { readCluster, untilRead, type ClusterDeps } from "./cluster.ts";
import { viewOf, type View } from "./firing.ts";
import type { SavedFold } from "./fold-text.ts";
import type { LogClock } from "./log-clock.ts";
import { EventsLost, lossOf, lossText } from "./losses.ts";
import { patiently } from "./patiently.ts";

/** Whoever has not looked for longer goes on from what is true now, not from what comes first. */
const AWAY_MS = 30_000;

export interface FollowerDeps extends Fanout, Omit<ClusterDeps, "log"> {
  readonly log: FeedLog;
  readonly logger: Logger;
}

/** What it tells of. */
interface Told {
  /** The fold is another, or has come further. */
  readonly changed: () => void;
  /** The fold is not what came of the one before by events alone. */
  readonly replaced: () => void;
}

/** Keeps the fold at the log's end. */
export class Follower {
  readonly #deps: FollowerDeps;
  readonly #time: LogClock;
  readonly #told: Told;
  #rules: RuleSet;
  #fold: AlertFold;
  /** All events up to there are folded; undefined: the fold begins with a read of everything. */
  #cursor: Cursor | undefined;
  #needsRead = false;
  #isWaiting = false;

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
    this.#cursor = known?.cursor;
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** Whether it waits for the scopes to be read. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** What there is to go on from elsewhere. */
  get saved(): SavedFold | undefined {
    return this.#cursor && { cursor: this.#cursor, state: this.#fold.state };
  }

  view(shared: Readonly<Record<string, string>>): View {
    return viewOf(this.#fold, this.#rules, shared);
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
    this.#fold.tick(this.#time.now());
    this.#told.changed();
  }

  /**
   * Brings the fold to the log's end, so that what is told first is not of the past; `awayMs`: for how long nobody
   * looked.
   */
  async start(awayMs: number, signal: AbortSignal): Promise<void> {
    const knowsNothing = this.#cursor === undefined || this.#fold.needsSeed;
    if (!knowsNothing && awayMs <= AWAY_MS) return this.#overLosses(() => this.#goOn());
    this.#isWaiting = true;
    await untilRead(this.#deps, signal);
    this.#isWaiting = false;
    if (signal.aborted) return;
    await (knowsNothing ? this.#begin() : this.#overLosses(() => this.#comeBack()));
  }

  /** Folds what comes, until `signal` aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await patiently(this.#deps.clock, signal, () => this.#followOn(signal));
  }

  /** From all objects there are. */
  async #begin(): Promise<void> {
    const { cursor, seeding } = await readCluster(this.#deps);
    this.#needsRead = false;
    this.#fold.seedFrom(seeding, this.#time.now());
    this.#cursor = cursor;
    this.#told.replaced();
    this.#told.changed();
  }

  /** Folds what was recorded since, as if it had been followed. */
  async #goOn(): Promise<void> {
    await this.#toTheEnd((entry) => this.#fold.apply(entry));
    if (this.#needsRead) await this.#begin();
    else this.#told.changed();
  }

  /** Takes what was recorded while nobody looked, and looks at what has come of it. */
  async #comeBack(): Promise<void> {
    await this.#toTheEnd((entry) => this.#fold.takeUnseen(entry));
    if (this.#needsRead) return this.#begin();
    this.#fold.resume(this.#time.now());
    this.#told.replaced();
    this.#told.changed();
  }

  /** Where events are gone that the work would take, everything is read. */
  async #overLosses(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = lossOf(error);
      if (reason === undefined) throw error;
      this.#deps.logger.warn({ reason }, "alerts go on from the objects there are: events before are gone");
      this.#fold.gap(this.#time.now(), reason);
      await this.#begin();
    }
  }

  async #toTheEnd(take: (entry: LogEntry) => void): Promise<void> {
    const { log } = this.#deps;
    const { sequence } = await log.head();
    for (let cursor = this.#cursor; cursor !== undefined; cursor = this.#cursor) {
      const entries = await log.read(cursor, BATCH_LIMITS);
      for (const entry of entries) this.#take(entry, take);
      const last = entries.at(-1)?.sequence ?? sequence;
      this.#cursor = { epoch: cursor.epoch, sequence: last };
      if (last >= sequence) return;
    }
  }

  async #followOn(signal: AbortSignal): Promise<void> {
    try {
      await this.#followFrom(this.#cursor, signal);
    } catch (error) {
      if (!(error instanceof EventsLost)) throw error;
      this.#fold.gap(this.#time.now(), error.message);
      this.#needsRead = true;
    }
    if (this.#needsRead && !signal.aborted) await this.#begin();
  }

  /** Until `signal` aborts, or everything has to be read. */
  async #followFrom(cursor: Cursor | undefined, signal: AbortSignal): Promise<void> {
    if (cursor === undefined) throw new Error("there is no place to follow from");
    using reader = new Reader({ cursor, recordedAt: null }, () => true, this.#deps);
    while (!signal.aborted && !this.#needsRead) {
      const read = await reader.next(signal);
      if (read === undefined) return;
      if ("gap" in read) throw new EventsLost(lossText(read.gap.reason));
      for (const entry of read.entries) this.#take(entry, (one) => this.#fold.apply(one));
      this.#cursor = read.place.cursor;
      this.#told.changed();
    }
  }

  #take(entry: LogEntry, take: (entry: LogEntry) => void): void {
    take(entry);
    // Of the objects of such a scope there may have been no events.
    if (entry.type === "nomad.feed.baseline") this.#needsRead = true;
  }
}
