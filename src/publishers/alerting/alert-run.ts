import { AlertFold } from "../../alerts/fold.ts";
import { RuleSet } from "../../alerts/rules/rule-set.ts";
import type { AnyRule } from "../../alerts/rules/rule.ts";
import {
  CursorExpired,
  EpochChanged,
  EventsMissing,
  Fenced,
  FutureCursor,
  LogUnavailable,
} from "../../feed/errors.ts";
import type { FeedLog } from "../../feed/log.ts";
import { formatCursor, type Cursor } from "../../schemas/cursor.ts";
import type { AlertList, DestinationState } from "../../schemas/alert-schema.ts";
import type { LogEntry } from "../../schemas/draft.ts";
import type { Logger } from "../../telemetry/logger.ts";
import { Nap } from "../delivery/nap.ts";
import { Reader } from "../delivery/reader.ts";
import type { Gap as GapOfStream } from "../connection/start.ts";
import type { Fanout } from "../fanout/fanout.ts";
import { BATCH_LIMITS } from "../fanout/batch.ts";
import { isRead, readCluster, type ClusterDeps } from "./cluster.ts";
import { FIRING_DOCUMENT, parseFiring, viewOf, type View } from "./firing.ts";
import { FOLD_DOCUMENT, foldText, parseFold } from "./fold-text.ts";
import { PartedText } from "./parted-text.ts";
import type { AlertGauges } from "./gauges.ts";

const TICK_EVERY_MS = 1000;
/** What fires is written when it changed, at most so often, and now and then so that all see that somebody looks. */
const TELL_AT_MOST_EVERY_MS = 200;
const TELL_EVERY_MS = 10_000;
const SAVE_EVERY_MS = 30_000;
/** Whoever has not looked for longer goes on from what is true now, not from what comes first. */
const AWAY_MS = 30_000;
/** How long to wait for all scopes to be read after that; by then one that cannot be read has said so. */
const READ_WITHIN_MS = 120_000;
const CLOCKS_EVERY_MS = 60_000;
const RETRY_MS = 1000;

export interface AlertRunDeps extends Fanout, Omit<ClusterDeps, "log"> {
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly gauges: AlertGauges;
  /** Labels of the whole feed. */
  readonly shared: Readonly<Record<string, string>>;
  /** Told of what fires whenever that may have changed. */
  readonly tell: (view: View) => void;
  /** How those are told. */
  readonly destinations: () => DestinationState[];
}

/** How far it has come. */
export interface AlertStanding {
  /** Why it has not begun to look; null once it has. */
  readonly waiting: string | null;
  readonly cursor: Cursor | null;
  /** When it looked last, ms since 1970. */
  readonly lookedAtMs: number | null;
  readonly firing: number;
}

/** Events that are to be folded are gone; the fold goes on from the objects there are. */
class Gap extends Error {}

/** Follows the log for alerts, for as long as nobody else takes it over. */
export class AlertRun {
  readonly #deps: AlertRunDeps;
  readonly #saved: PartedText;
  readonly #told: PartedText;
  readonly #nap: Nap;
  #rules: RuleSet;
  #fold: AlertFold;
  /** All events up to there are folded; undefined: the fold begins with a read of everything. */
  #cursor: Cursor | undefined;
  #waiting: string | null = "it has just begun";
  #isDirty = true;
  #needsRead = false;
  #toldText = "";
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #savedAtMs: number;
  #savedCursor: string | undefined;
  #lookedAtMs: number | null = null;
  /** What the log's clock says more than ours. */
  #aheadMs = 0;
  #clocksAtMs = Number.NEGATIVE_INFINITY;

  private constructor(rules: readonly AnyRule[], saved: PartedText, told: PartedText, deps: AlertRunDeps) {
    this.#deps = deps;
    this.#saved = saved;
    this.#told = told;
    this.#nap = new Nap(deps.clock);
    this.#rules = new RuleSet(rules);
    this.#savedAtMs = deps.clock.elapsed();
    const known = saved.text === undefined ? undefined : parseFold(saved.text);
    this.#fold = new AlertFold(this.#rules, known?.state);
    this.#cursor = known?.cursor;
  }

  /** Takes the alerts, also from another process. */
  static async begin(owner: string, rules: readonly AnyRule[], deps: AlertRunDeps): Promise<AlertRun> {
    const { documents } = deps.log;
    const saved = await PartedText.claim(FOLD_DOCUMENT, owner, documents);
    const told = await PartedText.claim(FIRING_DOCUMENT, owner, documents);
    return new AlertRun(rules, saved, told, deps);
  }

  get standing(): AlertStanding {
    const { open } = this.#fold;
    return {
      waiting: this.#waiting,
      cursor: this.#cursor ?? null,
      lookedAtMs: this.#lookedAtMs,
      firing: open.filter(({ state }) => state === "firing").length,
    };
  }

  /** Goes on by other rules. */
  configure(rules: readonly AnyRule[]): void {
    this.#rules = new RuleSet(rules);
    this.#fold = new AlertFold(this.#rules, this.#fold.state);
    this.#savedCursor = undefined;
    this.#changed();
  }

  /** Until `signal` aborts, or another process takes the alerts. */
  async run(signal: AbortSignal): Promise<"fenced" | "stopped"> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      await this.#patiently(both, () => this.#start(both));
      const parts = [this.#follow(both), this.#tick(both), this.#keep(both)];
      await Promise.all(parts.map((part) => part.finally(() => stop.abort())));
      if (this.#waiting === null) await this.#saveAtTheEnd();
      return "stopped";
    } catch (error) {
      if (error instanceof Fenced) return "fenced";
      throw error;
    } finally {
      stop.abort();
      this.#deps.gauges.forget();
    }
  }

  /** Brings the fold to the log's end before it looks for the first time. */
  async #start(signal: AbortSignal): Promise<void> {
    await this.#compareClocks();
    if (this.#cursor === undefined || this.#fold.needsSeed) {
      await this.#untilRead(signal);
      if (!signal.aborted) await this.#begin();
    } else if (this.#awayMs() > AWAY_MS) {
      await this.#untilRead(signal);
      if (!signal.aborted) await this.#comeBack();
    }
    if (!signal.aborted) this.#waiting = null;
  }

  /** How long ago somebody looked. */
  #awayMs(): number {
    const asOf = this.#told.text === undefined ? null : (parseFiring(this.#told.text)?.asOf ?? null);
    return asOf === null ? Number.POSITIVE_INFINITY : this.#nowMs() - Date.parse(asOf);
  }

  /** Waits until what the log says of the cluster is up to date, or known not to be. */
  async #untilRead(signal: AbortSignal): Promise<void> {
    const { clock, assignments } = this.#deps;
    const endsAt = clock.elapsed() + READ_WITHIN_MS;
    this.#waiting = "the scopes are yet to be read";
    while (!signal.aborted && clock.elapsed() < endsAt) {
      if (isRead(await assignments())) return;
      await clock.sleep(RETRY_MS / 4, signal);
    }
  }

  /** From all objects there are. */
  async #begin(): Promise<void> {
    const { cursor, seeding } = await readCluster(this.#deps);
    this.#needsRead = false;
    this.#fold.seedFrom(seeding, this.#nowMs());
    this.#cursor = cursor;
    this.#savedCursor = undefined;
    this.#changed();
  }

  /** Takes what was recorded while nobody looked, and looks at what has come of it. */
  async #comeBack(): Promise<void> {
    const { log, logger } = this.#deps;
    try {
      const { sequence } = await log.head();
      for (let cursor = this.#cursor; cursor !== undefined; cursor = this.#cursor) {
        const entries = await log.read(cursor, BATCH_LIMITS);
        for (const entry of entries) this.#fold.takeUnseen(entry);
        const last = entries.at(-1)?.sequence ?? sequence;
        this.#cursor = { epoch: cursor.epoch, sequence: last };
        if (last >= sequence) break;
      }
      this.#fold.resume(this.#nowMs());
      this.#changed();
    } catch (error) {
      const reason = lossOf(error);
      if (reason === undefined) throw error;
      logger.warn({ reason }, "alerts go on from the objects there are: events before are gone");
      this.#fold.gap(this.#nowMs(), reason);
      await this.#begin();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#patiently(signal, async () => {
        try {
          await this.#followFrom(this.#cursor, signal);
        } catch (error) {
          if (!(error instanceof Gap)) throw error;
          this.#fold.gap(this.#nowMs(), error.message);
          this.#needsRead = true;
        }
        if (this.#needsRead && !signal.aborted) await this.#begin();
      });
    }
  }

  /** Until `signal` aborts, or everything has to be read. */
  async #followFrom(cursor: Cursor | undefined, signal: AbortSignal): Promise<void> {
    if (cursor === undefined) throw new Error("there is no place to follow from");
    using reader = new Reader({ cursor, recordedAt: null }, () => true, this.#deps);
    while (!signal.aborted && !this.#needsRead) {
      const read = await reader.next(signal);
      if (read === undefined) return;
      if ("gap" in read) throw new Gap(lossText(read.gap.reason));
      for (const entry of read.entries) this.#take(entry);
      this.#cursor = read.place.cursor;
      this.#changed();
    }
  }

  #take(entry: LogEntry): void {
    this.#fold.apply(entry);
    // Of the objects of such a scope there may have been no events.
    if (entry.type === "nomad.feed.baseline") this.#needsRead = true;
  }

  /** Time goes on once everything is folded that is there. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { clock, ring } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(TICK_EVERY_MS, signal);
      if (signal.aborted) return;
      await this.#patiently(signal, () => this.#compareClocks());
      const behind = this.#cursor && ring.behindBy(this.#cursor);
      this.#deps.gauges.lag(behind);
      if (behind !== 0) continue;
      this.#fold.tick(this.#nowMs());
      this.#changed();
    }
  }

  /** Writes what fires, and what the fold knows. */
  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#patiently(signal, async () => {
        await this.#tellAll();
        if (this.#deps.clock.elapsed() - this.#savedAtMs >= SAVE_EVERY_MS) await this.#save();
      });
      await this.#nap.sleep(TICK_EVERY_MS, signal);
      const rest = this.#toldAtMs + TELL_AT_MOST_EVERY_MS - this.#deps.clock.elapsed();
      if (rest > 0) await this.#deps.clock.sleep(rest, signal);
    }
  }

  async #tellAll(): Promise<void> {
    const { clock, tell, gauges, shared, destinations } = this.#deps;
    const isDue = clock.elapsed() - this.#toldAtMs >= TELL_EVERY_MS;
    if (!this.#isDirty && !isDue) return;
    this.#isDirty = false;
    const view = viewOf(this.#fold, this.#rules, shared);
    const text = JSON.stringify([view.open, view.ended]);
    if (text === this.#toldText && !isDue) return;
    const nowMs = this.#nowMs();
    this.#lookedAtMs = nowMs;
    tell(view);
    gauges.show(view, nowMs);
    const told = {
      asOf: new Date(nowMs).toISOString(),
      alerts: [...view.open],
      ended: [...view.ended],
      destinations: destinations(),
    };
    try {
      await this.#told.save(JSON.stringify(told satisfies AlertList));
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
    this.#toldText = text;
    this.#toldAtMs = clock.elapsed();
  }

  async #save(): Promise<void> {
    const cursor = this.#cursor;
    if (cursor === undefined) return;
    this.#savedAtMs = this.#deps.clock.elapsed();
    if (this.#savedCursor === formatCursor(cursor)) return;
    await this.#saved.save(foldText({ cursor, state: this.#fold.state }));
    this.#savedCursor = formatCursor(cursor);
  }

  /** What cannot be written any more is folded again at the next start. */
  async #saveAtTheEnd(): Promise<void> {
    try {
      await this.#tellAll();
      this.#savedCursor = undefined;
      await this.#save();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
    }
  }

  #changed(): void {
    this.#isDirty = true;
    this.#nap.wake();
  }

  #nowMs(): number {
    return this.#deps.clock.now() + this.#aheadMs;
  }

  /** Events are dated by the log's clock. */
  async #compareClocks(): Promise<void> {
    const { log, clock } = this.#deps;
    if (clock.elapsed() - this.#clocksAtMs < CLOCKS_EVERY_MS) return;
    const { nowMs } = await log.times();
    this.#aheadMs = nowMs - clock.now();
    this.#clocksAtMs = clock.elapsed();
  }

  /** While the log is away it is tried again. */
  async #patiently(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        await this.#deps.clock.sleep(RETRY_MS, signal);
        if (signal.aborted) return;
      }
    }
  }
}

type Loss = GapOfStream["reason"];

function lossText(reason: Loss): string {
  if (reason === "expired") return "retention took events before alerts had read them";
  return reason === "missing" ? "events of the log were deleted" : "the log was replaced by another";
}

/** Why events are gone; undefined where the error says nothing of that. */
function lossOf(error: unknown): string | undefined {
  if (error instanceof CursorExpired) return lossText("expired");
  if (error instanceof EventsMissing) return lossText("missing");
  if (error instanceof EpochChanged || error instanceof FutureCursor) return lossText("epoch-changed");
  return undefined;
}
