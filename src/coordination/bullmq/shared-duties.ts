import { setTimeout as delay } from "node:timers/promises";
import type { DutyStatus } from "../../schemas/duty-schema.ts";
import type { Logger } from "../../telemetry/logger.ts";
import {
  NOTHING_TO_REPORT,
  STANDING_DUTIES,
  type Coordination,
  type DutyHolder,
  type DutyPlan,
  type Ending,
} from "../coordination.ts";
import type { DutyJob, DutyJobs } from "./duty-jobs.ts";
import type { Registry, Workers } from "./registry.ts";
import { shareOf } from "./share.ts";

export interface SharedDutiesParts {
  /** Names this process, and no other, to people and to the other workers. */
  readonly worker: string;
  readonly registry: Registry;
  readonly jobs: DutyJobs;
  readonly logger: Logger;
  /** Ends the connections. */
  readonly close: () => Promise<void>;
}

interface Held extends DutyJob {
  readonly abort: AbortController;
  readonly since: Date;
  done: Promise<void>;
  /** Whether its lock went to somebody else. */
  lost: boolean;
}

const ROUND_MS = 1_000;
/** A duty that nobody holds for so long is taken by whoever comes first. */
const STARVING_MS = 5_000;
/** A duty that nobody holds is offered again so often: its job may be gone. */
const OFFER_EVERY_MS = 3_000;
/** A worker that has said nothing for so long may be gone. */
const SILENT_MS = 4 * ROUND_MS;
/** How long leaving may take: who is left finds out by itself. */
const LEAVE_WITHIN_MS = 500;

/**
 * Any number of processes share the duties through Redis. In every round, a second apart, a worker renews the locks
 * of what it holds, says that it lives, hears the plan and who else lives, gives away what is above its share and
 * takes what it lacks (`shareOf`). What a dead worker held is given to the others when its locks end.
 */
export class SharedDuties implements Coordination {
  readonly #parts: SharedDutiesParts;
  readonly #held = new Map<string, Held>();
  /** When a duty was first seen without a holder, and last offered. */
  readonly #waiting = new Map<string, { sinceMs: number; offeredAtMs: number }>();
  #holder: DutyHolder | undefined;
  #plan: DutyPlan = new Map();
  /** In which this worker plans. */
  #term: number | undefined;
  #failing = false;
  #share = { now: "", before: "", said: "" };

  constructor(parts: SharedDutiesParts) {
    this.#parts = parts;
  }

  async run(holder: DutyHolder, signal: AbortSignal): Promise<void> {
    this.#holder = holder;
    const { registry, jobs } = this.#parts;
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const rounds = this.#rounds(signal);
    await aborted;
    for (const { abort } of this.#held.values()) abort.abort(signal.reason);
    const done = [...this.#held.values()].map((held) => held.done);
    await Promise.race([Promise.all([rounds, ...done]), delay(LEAVE_WITHIN_MS)]);
    await Promise.race([registry.leave().catch(() => undefined), delay(LEAVE_WITHIN_MS)]);
    // What waits for Redis ends with the connection.
    await jobs.close();
    await Promise.all([rounds, ...done]);
  }

  async announce(plan: DutyPlan): Promise<void> {
    if (!this.#held.has("plan")) return;
    const { registry } = this.#parts;
    this.#term ??= await registry.beginTerm();
    if (await registry.announce(this.#term, plan)) return;
    this.#held.get("plan")?.abort.abort(new Error("another worker plans"));
  }

  async statuses(): Promise<DutyStatus[]> {
    const { plan, reports, silentMs } = await this.#parts.registry.reports();
    const told = new Map(reports.map((report) => [report.duty, withSilence(report, silentMs)]));
    return dutiesOf(plan).map((duty) => {
      const place = { duty, state: "waiting" as const, worker: null, since: null };
      return told.get(duty) ?? { ...NOTHING_TO_REPORT, ...place, reason: "no worker holds it" };
    });
  }

  /** What nobody does is owed by no worker more than by another. */
  owed(): [] {
    return [];
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#round(signal);
        this.#failing = false;
      } catch (error) {
        if (signal.aborted) return;
        const level = this.#failing ? "debug" : "warn";
        this.#failing = true;
        this.#parts.logger[level](
          { err: error },
          "the duties cannot be shared out at the moment; trying again",
        );
      }
      await delay(ROUND_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { worker, registry, jobs } = this.#parts;
    await this.#renew();
    const { plan, workers } = await registry.beat(this.#report());
    this.#plan = plan;
    // There always is something to watch: an empty one was not made yet.
    if (plan.size > 0) this.#holder?.follow(plan);
    for (const { duty, abort } of this.#held.values()) {
      if (!this.#isPlanned(duty)) abort.abort(new Error("not planned any more"));
    }
    const unheld = this.#unheld(workers);
    await this.#offer(unheld);
    const duties = dutiesOf(plan).length;
    const starving = unheld.some((duty) => this.#waitsMs(duty) >= STARVING_MS);
    const { surplus, room } = shareOf(worker, workers, { duties, starving });
    this.#giveAway(surplus);
    if (unheld.length > 0) await this.#take(room, signal);
    this.#sayWhatChanged(await jobs.takenFromSilent(), duties, workers.size);
  }

  /** Every duty that this worker holds, and how it goes. */
  #report(): DutyStatus[] {
    const { worker } = this.#parts;
    return [...this.#held.values()]
      .filter(({ abort }) => !abort.signal.aborted)
      .map(({ duty, since }) => ({
        duty,
        state: "held",
        worker,
        since: since.toISOString(),
        ...(this.#holder?.describe(duty) ?? NOTHING_TO_REPORT),
      }));
  }

  async #renew(): Promise<void> {
    const all = [...this.#held.values()];
    const failed = await this.#parts.jobs.renew(all);
    for (const held of all.filter(({ duty }) => failed.includes(duty))) {
      if (this.#held.get(held.duty) !== held) continue;
      held.lost = true;
      this.#parts.logger.warn(
        { duty: held.duty },
        "this worker was silent for too long: the duty went to another",
      );
      held.abort.abort(new Error("the duty went to another worker"));
    }
  }

  #isPlanned(duty: string): boolean {
    return dutiesOf(this.#plan).includes(duty);
  }

  /** Duties that no worker says it holds; remembers since when. */
  #unheld(workers: Workers): string[] {
    const held = new Set([...workers.values()].flat());
    const unheld = dutiesOf(this.#plan).filter((duty) => !held.has(duty));
    for (const duty of this.#waiting.keys()) if (!unheld.includes(duty)) this.#waiting.delete(duty);
    const sinceMs = performance.now();
    for (const duty of unheld) {
      if (!this.#waiting.has(duty)) this.#waiting.set(duty, { sinceMs, offeredAtMs: -Infinity });
    }
    return unheld;
  }

  #waitsMs(duty: string): number {
    return performance.now() - (this.#waiting.get(duty)?.sinceMs ?? performance.now());
  }

  async #offer(unheld: readonly string[]): Promise<void> {
    const now = performance.now();
    const due = unheld.filter(
      (duty) => now - (this.#waiting.get(duty)?.offeredAtMs ?? now) >= OFFER_EVERY_MS,
    );
    await this.#parts.jobs.offer(due);
    for (const duty of due) {
      const waiting = this.#waiting.get(duty);
      if (waiting !== undefined) waiting.offeredAtMs = now;
    }
  }

  /** The newest first: they have read least. Who plans goes on planning. */
  #giveAway(surplus: number): void {
    const all = [...this.#held.values()];
    const staying = all.filter(({ abort }) => !abort.signal.aborted);
    const more = Math.max(0, surplus - (all.length - staying.length));
    const movable = staying.filter(({ duty }) => duty !== "plan");
    for (const { duty, abort } of movable.slice(Math.max(0, movable.length - more))) {
      this.#parts.logger.debug({ duty }, "given to a worker that has less to do");
      abort.abort(new Error("given to another worker"));
    }
  }

  async #take(room: number, signal: AbortSignal): Promise<void> {
    const { jobs } = this.#parts;
    for (let taken = 0; taken < room && !signal.aborted; taken += 1) {
      const taking = await jobs.take();
      if (taking === undefined) return;
      if (!this.#isPlanned(taking.duty)) await jobs.giveBack(taking, "over");
      else if (signal.aborted || this.#held.has(taking.duty)) await jobs.giveBack(taking, "now");
      else this.#hold(taking);
    }
  }

  #hold(job: DutyJob): void {
    const place = { abort: new AbortController(), since: new Date(), done: Promise.resolve(), lost: false };
    const held: Held = { ...job, ...place };
    this.#held.set(held.duty, held);
    this.#waiting.delete(held.duty);
    if (held.duty === "plan") this.#term = undefined;
    held.done = this.#perform(held);
  }

  async #perform(held: Held): Promise<void> {
    const { duty, abort } = held;
    const { logger } = this.#parts;
    let ending: Ending | "failed" = "failed";
    try {
      ending = (await this.#holder?.perform(duty, abort.signal)) ?? "stopped";
    } catch (error) {
      if (abort.signal.aborted) ending = "stopped";
      else logger.error({ err: error, duty }, "a duty failed; it is tried again, here or by another worker");
    }
    try {
      if (!held.lost) await this.#parts.jobs.giveBack(held, this.#howToGiveBack(duty, ending));
    } catch (error) {
      // Its lock ends by itself, and then somebody takes it.
      logger.debug({ err: error, duty }, "a duty could not be given back");
    } finally {
      if (this.#held.get(duty) === held) this.#held.delete(duty);
    }
  }

  #howToGiveBack(duty: string, ending: Ending | "failed"): "now" | "rested" | "over" {
    if (!this.#isPlanned(duty)) return "over";
    if (ending === "done" && this.#plan.get(duty) === "finish") return "over";
    return ending === "stopped" ? "now" : "rested";
  }

  #sayWhatChanged(fromSilent: readonly string[], duties: number, workers: number): void {
    const { logger } = this.#parts;
    if (fromSilent.length > 0) {
      logger.warn(
        { duties: fromSilent },
        `a worker says nothing any more: ${fromSilent.length} of its duties go to others`,
      );
    }
    const share = `${this.#held.size} of ${duties} duties are done here, by one of ${workers} workers`;
    this.#share = { ...this.#share, before: this.#share.now, now: share };
    // Only what lasts: while duties move, it is another in every round.
    if (share === this.#share.said || share !== this.#share.before) return;
    this.#share.said = share;
    logger.info({ held: this.#held.size, duties, workers }, share);
  }
}

function dutiesOf(plan: DutyPlan): string[] {
  return [...STANDING_DUTIES, ...plan.keys()];
}

/** What a worker said last is no longer known to be true when it says nothing any more. */
function withSilence(report: DutyStatus, silentMs: ReadonlyMap<string, number>): DutyStatus {
  const ms = silentMs.get(report.worker ?? "") ?? 0;
  if (ms < SILENT_MS) return report;
  const reason = `its worker has said nothing for ${Math.round(ms / 1000)} s`;
  const condition = report.condition === null ? null : ("stale" as const);
  return { ...report, reason, condition, lagMs: (report.lagMs ?? 0) + ms };
}
