import { Conflict, Fenced } from "../feed/errors.ts";
import { NomadError } from "../nomad/errors.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Backoff } from "../shared/backoff.ts";
import { shortestRetryMs } from "./shortest-retry.ts";
import { ImplausibleResponse, observe, type Observation } from "./observe.ts";
import { Flapping } from "./flapping.ts";
import { OddNumbers } from "./odd-numbers.ts";
import { Pacer } from "./pacer.ts";
import type { Outcome, PollerDeps, PollerOptions, ScopeHooks, ScopeReport } from "./poller.ts";
import { ScopeCondition } from "./scope-condition.ts";
import { ScopeProgress } from "./scope-progress.ts";
import { Session } from "./session.ts";

const REFUSALS: ReadonlySet<string> = new Set([
  "NOMAD_FORBIDDEN",
  "NOMAD_UNAUTHORIZED",
  "NOMAD_TOKEN_EXPIRED",
]);
/** So many queries in a row may end early: it takes two to learn how long one may wait. */
const MOST_ENDED_EARLY = 2;
/** Over so long the next queries of scopes are spread where one cause may have ended all. */
const SPREAD_MS = 1_000;
const BACKLOG_LOOK_MS = 200;
const HELD = "paused, nothing is lost: the log does not take what other scopes have read";

/**
 * Follows one scope: claim it, load its last state, then hold one blocking query after another, diff each
 * accepted list against the state, and commit what differs. The list is the truth, the index only a doorbell.
 *
 *     claim ─▶ first poll (baseline or catch-up) ─▶ watch ─▶ … ─▶ stopped | fenced | drained
 *        ▲                                            │
 *        └──────── conflict, log lost, new epoch ─────┘      a failed query only backs off and asks afresh
 */
export class ScopeLoop {
  readonly scope: Scope;
  readonly #deps: PollerDeps;
  readonly #options: PollerOptions;
  readonly #hooks: ScopeHooks;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #pacer: Pacer;
  readonly #flapping: Flapping;
  readonly #oddNumbers: OddNumbers;
  readonly #condition: ScopeCondition;
  readonly #progress: ScopeProgress;
  #session: Session | undefined;
  /** Whether the next query must answer at once: the first of a claim, and the first after a failure. */
  #askNow = true;
  #canonicalAtMs: number;
  #namespaceGone = false;
  /** Whether the claim and all that is in memory are to be thrown away. */
  #anew = false;
  /** Whether it waits for others' lists to be written. */
  #held = false;
  /** What the last query that was to be held failed with, and how long it was to be held, ms. */
  #failedWatch: { error: NomadError; waitMs: number } | undefined;
  /** How many in a row were ended by something between. */
  #endedEarly = 0;
  /** Ends the query in flight, so that the next one asks at once. */
  #interrupt = new AbortController();

  constructor(scope: Scope, deps: PollerDeps, options: PollerOptions, hooks: ScopeHooks = {}) {
    this.scope = scope;
    this.#deps = deps;
    this.#options = options;
    this.#hooks = hooks;
    this.#logger = deps.logger.child({ scope: scopeName(scope) });
    this.#backoff = new Backoff({ baseMs: 500, maxMs: 30_000, random: deps.random });
    this.#pacer = new Pacer(deps.clock, options.pace);
    this.#flapping = new Flapping(deps.clock, this.#logger);
    this.#oddNumbers = new OddNumbers(this.#logger);
    this.#condition = new ScopeCondition(scope, this.#logger, deps.metrics);
    this.#progress = new ScopeProgress(deps.clock);
    // The first pass is spread so that forty scopes do not take theirs at once.
    this.#canonicalAtMs = deps.clock.elapsed() + options.canonicalEveryMs * (1 + deps.random());
  }

  report(): ScopeReport {
    const { reason, current } = this.#condition;
    const { failure, startedOver, wasRead, isBroken, lastOkAtMs, sinceOkMs, lastMoveAtMs } = this.#progress;
    return {
      scope: this.scope,
      baselined: this.#session?.baselined === true && !startedOver,
      condition: current,
      reason: this.#session?.paused ?? (this.#held ? HELD : (reason ?? failure)),
      index: this.#session?.last.index ?? null,
      count: this.#session?.last.snapshot.count ?? 0,
      lastOkAtMs,
      sinceOkMs,
      upToDate: wasRead && !this.#held && !this.#session?.paused,
      lastMoveAtMs,
      broken: current === "stale" && isBroken,
    };
  }

  /**
   * The scope's namespace was deleted: look at once, go on until the last of its objects is gone, then end.
   * `false`: it came back.
   */
  drain(gone = true): void {
    this.#namespaceGone = gone;
    if (gone) this.#interrupt.abort();
  }

  /** Claims the scope again and reads everything again: what was committed may have been lost. */
  beginAnew(): void {
    this.#anew = true;
    this.#interrupt.abort();
  }

  /** Checks from outside whether it is stale: while the log takes nothing, the loop itself waits. */
  checkStale(): void {
    const paused = this.#session?.paused;
    const { takingMs } = this.#progress;
    if (paused && takingMs > 0 && takingMs >= this.#options.staleAfterMs)
      this.#condition.mark("stale", paused);
  }

  /** Runs until the signal aborts, somebody else claims the scope, or it is drained. Never rejects. */
  async run(signal: AbortSignal): Promise<Outcome> {
    while (!signal.aborted) {
      try {
        const outcome = await this.#hold(signal);
        if (outcome !== "again") return outcome;
      } catch (error) {
        if (signal.aborted) break;
        this.#session = undefined;
        if (error instanceof Fenced) {
          this.#logger.warn({ code: error.code }, `stopped watching: ${error.message}`);
          return "fenced";
        }
        await this.#startOver(error, signal);
      }
    }
    return "stopped";
  }

  /** Whatever the error was, a scope that goes on so is as stale as one that Nomad does not answer for. */
  async #startOver(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, outages } = this.#deps;
    const retryInMs = this.#backoff.next();
    const why = error instanceof Error ? error.message : String(error);
    const { failingMs, reason } = this.#progress.startsOver(error);
    if (error instanceof Conflict) {
      this.#logger.warn({ code: error.code, retryInMs }, `reading the scope anew: ${why}`);
    } else outages.failed(this.scope, error, retryInMs, "reading the scope anew: ");
    if (failingMs >= this.#options.staleAfterMs) this.#condition.mark("stale", reason);
    this.#moved();
    await clock.sleep(retryInMs, signal);
  }

  async #hold(signal: AbortSignal): Promise<Outcome | "again"> {
    const onMove = (): void => this.#moved();
    this.#anew = false;
    const session = await Session.open(this.scope, this.#deps, this.#options, this.#hooks, {
      onMove,
      signal,
    });
    this.#session = session;
    this.#condition.resume(session.told);
    await this.#condition.tell(session.say(signal), this.#deps.feedOutage.covers(this.scope));
    this.#askNow = true;
    let first = true;
    for (;;) {
      this.#moved();
      await this.#pacer.ready(signal);
      await this.#roomInBacklog(signal);
      signal.throwIfAborted();
      // Only a list asked for after the namespace went tells that nothing is left of it.
      const draining = this.#namespaceGone;
      const observation = await this.#observe(session, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        if (this.#interrupt.signal.aborted) return undefined;
        if (error instanceof ChangefeedError) return error;
        throw error;
      });
      if (observation === undefined) {
        this.#interrupt = new AbortController();
        if (this.#anew) return "again";
        this.#askNow = true;
        continue;
      }
      if (observation instanceof ChangefeedError) {
        if (await this.#goesOnAfter(observation, signal)) continue;
        if (await this.#endedWithNamespace(session, observation, signal)) return "drained";
        await this.#failed(session, observation, signal);
        continue;
      }
      await this.#take(session, observation, signal);
      await this.#tellMissed(session, signal);
      if (first || observation.changes.length > 0) this.#hooks.onSnapshot?.(observation.next);
      first = false;
      const gone = draining || observation.namespaceGone;
      if (gone && this.#namespaceGone && observation.next.count === 0) return "drained";
    }
  }

  /** While the log does not take what others have read, nothing more is read. */
  async #roomInBacklog(signal: AbortSignal): Promise<void> {
    const { backlog, clock } = this.#deps;
    const sinceMs = clock.elapsed();
    while (backlog.full && !signal.aborted) {
      this.#held = true;
      if (clock.elapsed() - sinceMs >= this.#options.staleAfterMs) this.#condition.mark("stale", HELD);
      this.#moved();
      await clock.sleep(BACKLOG_LOOK_MS, signal);
    }
    this.#held = false;
  }

  async #observe(session: Session, signal: AbortSignal): Promise<Observation> {
    const { nomad, clock } = this.#deps;
    const { snapshot, index } = session.last;
    const waitMs = this.#askNow ? null : this.#deps.queryWait.waitMs;
    const observation = await observe(nomad, clock, {
      scope: this.scope,
      previous: snapshot,
      lastIndex: index,
      mayWiden: session.mayWiden,
      borrowed: session.borrowed,
      wasDeleted: (ref, createIndex) => session.wasDeleted(ref, createIndex),
      hiddenBefore: session.hiddenNamespaces,
      waitMs,
      // What a claim begins with must not lag behind the state it is held to.
      consistency: this.#askNow ? "default" : this.#options.consistency,
      signal: AbortSignal.any([signal, this.#interrupt.signal]),
      onWatchFailed: (error) => {
        this.#failedWatch = { error, waitMs: waitMs ?? 0 };
      },
      onMove: () => this.#moved(),
    });
    this.#pacer.spend(observation.response.body.length);
    this.#oddNumbers.say(observation.nonNumbers);
    return this.#flapping.sift(observation, snapshot, { onMove: () => this.#moved(), signal });
  }

  /** Every few minutes: what the shortcuts of the polls may have missed is found, and told. */
  async #tellMissed(session: Session, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#deps;
    if (clock.elapsed() < this.#canonicalAtMs) return;
    this.#canonicalAtMs = clock.elapsed() + this.#options.canonicalEveryMs;
    const objects = await session.tellMissed({ onMove: () => this.#moved(), signal });
    if (objects === undefined) return;
    metrics.canonicalPasses.inc({ resource: this.scope.resource });
    if (objects > 0)
      this.#logger.error({ objects }, "changes had been missed, they are told now: please report");
  }

  /** A accepted poll: commit it, then say how the scope is. */
  async #take(session: Session, observation: Observation, signal: AbortSignal): Promise<void> {
    const { outages, feedOutage } = this.#deps;
    const { changes, restored, hiddenNamespaces } = observation;
    this.#progress.takes();
    const events = await this.#deps.backlog.whileWriting(observation.response.body.length, () =>
      session.accept(observation, signal),
    );
    this.#askNow = false;
    this.#namespaceGone ||= observation.namespaceGone;
    this.#measure(observation);
    if (restored !== null) this.#logger.warn({ events }, `Nomad's state was restored: ${restored}`);
    if (changes.length > 0) this.#logger.debug({ changes: changes.length, events }, "committed");

    this.#backoff.reset();
    this.#endedEarly = 0;
    this.#progress.succeeded();
    outages.recovered(this.scope);
    feedOutage.read(this.scope);
    if (hiddenNamespaces.length === 0) return this.#condition.clear(session.say(signal));
    const reason = `the token may no longer see ${hiddenNamespaces.join(", ")}; the last known objects there are kept`;
    await this.#condition.enter("access-lost", reason, session.say(signal));
  }

  /**
   * A query that something between ended early says nothing of Nomad: the next one waits with the same index. Where
   * one after another ends so, it is no longer a matter of waiting.
   */
  async #goesOnAfter(error: ChangefeedError, signal: AbortSignal): Promise<boolean> {
    const failed = this.#failedWatch;
    this.#failedWatch = undefined;
    if (failed?.error !== error || !this.#deps.queryWait.endedEarly(failed.error, failed.waitMs))
      return false;
    this.#endedEarly += 1;
    if (this.#endedEarly > MOST_ENDED_EARLY) return false;
    const { clock, metrics, random } = this.#deps;
    metrics.polls.inc({ resource: this.scope.resource, outcome: "ended-early" });
    this.#logger.debug({ code: error.code, heldMs: failed.error.heldMs }, error.message);
    await clock.sleep(random() * SPREAD_MS, signal);
    return true;
  }

  /** A refused list of a namespace that does not exist any more: what was in it is gone. */
  async #endedWithNamespace(session: Session, error: ChangefeedError, signal: AbortSignal): Promise<boolean> {
    const { namespace } = this.scope;
    if (error.code !== "NOMAD_FORBIDDEN" || namespace === "*" || namespace === "-" || !session.baselined)
      return false;
    const presence = await this.#deps.nomad
      .namespacePresence(namespace, signal)
      .catch(() => "hidden" as const);
    if (presence !== "absent") return false;
    await session.acceptGone(signal);
    return true;
  }

  async #failed(session: Session, error: ChangefeedError, signal: AbortSignal): Promise<void> {
    const { clock, metrics, outages, feedOutage } = this.#deps;
    this.#askNow = true;
    const outcome = error instanceof ImplausibleResponse ? "implausible" : "failed";
    metrics.polls.inc({ resource: this.scope.resource, outcome });
    metrics.nomadErrors.inc({ code: error.code });
    const { failingMs, reason } = this.#progress.failed(error);
    feedOutage.failed(this.scope, { failingMs, reason, observedAt: session.last.observedAt });
    const say = session.say(signal);
    if (REFUSALS.has(error.code)) await this.#condition.enter("access-lost", reason, say);
    else if (failingMs >= this.#options.staleAfterMs) {
      const covered = error instanceof NomadError && feedOutage.covers(this.scope);
      await this.#condition.enter("stale", reason, say, covered);
    }
    const delayMs = this.#backoff.next(shortestRetryMs(error));
    outages.failed(this.scope, error, delayMs);
    await clock.sleep(delayMs, signal);
  }

  #measure(observation: Observation): void {
    const { metrics, clock } = this.#deps;
    const { resource, namespace } = this.scope;
    metrics.polls.inc({ resource, outcome: observation.changes.length > 0 ? "changed" : "unchanged" });
    metrics.pollBytes.inc({ resource }, observation.response.body.length);
    metrics.pollSeconds.observe({ resource }, (clock.elapsed() - observation.arrivedAtMs) / 1000);
    metrics.scopeIndex.set({ resource, namespace }, Number(observation.response.index));
    metrics.scopeObjects.set({ resource, namespace }, observation.next.count);
    metrics.scopeLastOk.set({ resource, namespace }, clock.now() / 1000);
  }

  #moved(): void {
    this.#progress.moved();
  }
}
