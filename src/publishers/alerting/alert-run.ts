import type { AnyRule } from "../../alerts/rules/rule.ts";
import { Fenced, LogUnavailable } from "../../feed/errors.ts";
import { Nap } from "../delivery/nap.ts";
import { FoldKeeper } from "./fold-keeper.ts";
import { Follower, type FollowerDeps } from "./follower.ts";
import type { AlertGauges } from "./gauges.ts";
import { LogClock } from "./log-clock.ts";
import { patiently } from "./patiently.ts";
import { Teller, type TellerDeps } from "./teller.ts";

const TICK_EVERY_MS = 1000;

export interface AlertRunDeps extends FollowerDeps, TellerDeps {
  readonly gauges: AlertGauges;
  /** Labels of the whole feed. */
  readonly shared: Readonly<Record<string, string>>;
}

/** How far it has come. */
export interface AlertStanding {
  /** Why it has not begun to look; null once it has. */
  readonly waiting: string | null;
  /** When it looked last, ms since 1970. */
  readonly lookedAtMs: number | null;
}

/** Looks after alerts, for as long as nobody else takes them over: follows the log, and tells what fires. */
export class AlertRun {
  readonly #deps: AlertRunDeps;
  readonly #keeper: FoldKeeper;
  readonly #teller: Teller;
  readonly #follower: Follower;
  readonly #nap: Nap;
  readonly #time: LogClock;
  #hasBegun = false;

  private constructor(rules: readonly AnyRule[], keeper: FoldKeeper, teller: Teller, deps: AlertRunDeps) {
    this.#deps = deps;
    this.#keeper = keeper;
    this.#teller = teller;
    this.#nap = new Nap(deps.clock);
    this.#time = new LogClock(deps.log, deps.clock);
    const told = { changed: () => this.#changed(), replaced: () => keeper.outdate() };
    this.#follower = new Follower(rules, keeper.known, { ...deps, time: this.#time, told });
  }

  /** Takes the alerts, also from another process. */
  static async begin(owner: string, rules: readonly AnyRule[], deps: AlertRunDeps): Promise<AlertRun> {
    const { documents } = deps.log;
    const keeper = await FoldKeeper.claim(owner, documents, deps.clock);
    return new AlertRun(rules, keeper, await Teller.claim(owner, documents, deps), deps);
  }

  get standing(): AlertStanding {
    const waiting = this.#follower.isWaiting ? "the scopes are yet to be read" : "it has just begun";
    return { waiting: this.#hasBegun ? null : waiting, lookedAtMs: this.#teller.lookedAtMs };
  }

  /** Goes on by other rules. */
  configure(rules: readonly AnyRule[]): void {
    this.#follower.configure(rules);
  }

  /** Until `signal` aborts, or another process takes the alerts. */
  async run(signal: AbortSignal): Promise<"fenced" | "stopped"> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    try {
      await patiently(this.#deps.clock, both, () => this.#start(both));
      const parts = [this.#follower.follow(both), this.#tick(both), this.#keep(both)];
      await Promise.all(parts.map((part) => part.finally(() => stop.abort())));
      if (this.#hasBegun) await this.#saveAtTheEnd();
      return "stopped";
    } catch (error) {
      if (error instanceof Fenced) return "fenced";
      throw error;
    } finally {
      stop.abort();
      this.#deps.gauges.forget();
    }
  }

  async #start(signal: AbortSignal): Promise<void> {
    await this.#time.compare();
    const lookedAtMs = this.#teller.formerlyLookedAtMs ?? Number.NEGATIVE_INFINITY;
    await this.#follower.start(this.#time.now() - lookedAtMs, signal);
    if (signal.aborted) return;
    this.#hasBegun = true;
    this.#deps.gauges.count(() => this.#follower.jobs);
  }

  /** Time goes on once everything is folded that is there. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { clock, gauges } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(TICK_EVERY_MS, signal);
      if (signal.aborted) return;
      await patiently(clock, signal, () => this.#time.compare());
      const { lag } = this.#follower;
      gauges.lag(lag);
      if (lag === 0) this.#follower.tick();
    }
  }

  /** Writes what fires, and what the fold knows: first that, so that a kill takes back nothing that was told. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await patiently(clock, signal, async () => {
        if (this.#keeper.isDue) await this.#save();
        if (!this.#keeper.isOutdated) await this.#tell();
      });
      await this.#nap.sleep(TICK_EVERY_MS, signal);
      if (this.#teller.restMs > 0) await clock.sleep(this.#teller.restMs, signal);
    }
  }

  async #tell(): Promise<void> {
    await this.#teller.tell(() => this.#follower.view(this.#deps.shared), this.#follower.lookedAtMs);
  }

  async #save(): Promise<void> {
    const { saved } = this.#follower;
    if (saved !== undefined) await this.#keeper.save(saved);
  }

  /** What cannot be written any more is folded again at the next start. */
  async #saveAtTheEnd(): Promise<void> {
    try {
      this.#keeper.outdate();
      await this.#save();
      await this.#tell();
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
    }
  }

  #changed(): void {
    this.#teller.changed();
    this.#nap.wake();
  }
}
