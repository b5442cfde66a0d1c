import { Conflict, Fenced } from "../feed/errors.ts";
import { NomadError } from "../nomad/errors.ts";
import { lackOf } from "../nomad/unsupported.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { isCore } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Backoff } from "../shared/backoff.ts";
import { DoubtedRefusals } from "./doubted-refusals.ts";
import { shortestRetryMs } from "./shortest-retry.ts";
import { within } from "../telemetry/tracing.ts";
import { traceFailedPoll, tracePoll } from "./poll-trace.ts";
import { ImplausibleResponse, type Observation } from "./observe.ts";
import type { Outcome, PollerDeps, PollerOptions, ScopeHooks, ScopeReport } from "./poller.ts";
import { ScopeCondition } from "./scope-condition.ts";
import { nextState, type LoopEvent, type LoopState } from "./scope-machine.ts";
import { ScopePoll, type PollResult } from "./scope-poll.ts";
import { ScopeProgress } from "./scope-progress.ts";
import { Session } from "./session.ts";

const REFUSALS: ReadonlySet<string> = new Set([
  "NOMAD_FORBIDDEN",
  "NOMAD_UNAUTHORIZED",
  "NOMAD_TOKEN_EXPIRED",
]);
/** Refusals of a scope that was read before are doubted for so long. */
const REFUSALS_DOUBTED_FOR_MS = 5_000;
/** Over so long the next queries of scopes are spread where one cause may have ended all. */
const SPREAD_MS = 1_000;
/** So often, or half as often, it is asked whether Nomad has come to have what it lacked: it may have been upgraded. */
const LOOK_AGAIN_MS = 60_000;
const BACKLOG_CHECK_MS = 200;
const HELD = "paused, nothing is lost: the log does not take what other scopes have read";

/**
 * Follows one scope: claim it, load its last state, then hold one blocking query after another, diff each
 * accepted list against the state, and commit what differs. The list is the truth, the index only a doorbell.
 *
 *     claim ─▶ ask (baseline or catch-up) ─▶ watch ─▶ … ─▶ stopped | fenced | drained
 *        ▲          ▲                          │
 *        │          └────── a query failed ────┤
 *        └──── conflict, log lost, new epoch ──┘      every step: scope-machine.ts
 */
export class ScopeLoop {
  readonly scope: Scope;
  readonly #deps: PollerDeps;
  readonly #options: PollerOptions;
  readonly #hooks: ScopeHooks;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #poll: ScopePoll;
  readonly #condition: ScopeCondition;
  readonly #progress: ScopeProgress;
  #state: LoopState = "claim";
  #session: Session | undefined;
  #canonicalAtMs: number;
  readonly #refusals: DoubtedRefusals;
  /** Whether it waits for others' lists to be written. */
  #held = false;

  constructor(scope: Scope, deps: PollerDeps, options: PollerOptions, hooks: ScopeHooks = {}) {
    this.scope = scope;
    this.#deps = deps;
    this.#options = options;
    this.#hooks = hooks;
    this.#logger = deps.logger.child({ scope: scopeName(scope) });
    this.#backoff = new Backoff({ baseMs: 500, maxMs: 30_000, random: deps.random });
    const onMove = (): void => this.#moved();
    this.#poll = new ScopePoll({ scope, deps, options, logger: this.#logger, onMove });
    this.#condition = new ScopeCondition(scope, this.#logger, deps.metrics);
    this.#progress = new ScopeProgress(deps.clock);
    this.#refusals = new DoubtedRefusals(deps.clock, REFUSALS_DOUBTED_FOR_MS);
    // The first pass is spread so that forty scopes do not take theirs at once.
    this.#canonicalAtMs = deps.clock.elapsed() + options.fullEveryMs * (1 + deps.random());
  }

  report(): ScopeReport {
    const { reason, current } = this.#condition;
    const { failure, startedOver, wasRead, isBroken, lastOkAtMs, sinceOkMs, lastMoveAtMs } = this.#progress;
    return {
      scope: this.scope,
      baselined: this.#session?.baselined === true && !startedOver,
      condition: current,
      reading: this.#poll.reading,
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
   * The scope's namespace was deleted: ask at once, go on until the last of its objects is gone, then end.
   * `false`: it came back.
   */
  drain(gone = true): void {
    if (gone) this.#poll.interrupt("namespace-gone");
    else if (!this.#poll.replace("namespace-gone", "namespace-back")) this.#step("namespace-back");
  }

  /** Claims the scope again and reads everything again: what was committed may have been lost. */
  beginAnew(): void {
    this.#poll.interrupt("begin-anew");
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
    try {
      return await this.#follow(signal);
    } finally {
      this.#poll.end();
    }
  }

  async #follow(signal: AbortSignal): Promise<Outcome> {
    while (!signal.aborted) {
      try {
        await this.#claim(signal);
        while (this.#isClaimed) await this.#pollOnce(signal);
        if (this.#state === "drained") return "drained";
      } catch (error) {
        if (signal.aborted) break;
        this.#session = undefined;
        this.#poll.pause();
        this.#step("lost");
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
      this.#logger.warn({ code: error.code, retryInMs }, `reading the scope again: ${why}`);
    } else outages.failed(this.scope, error, retryInMs, "reading the scope again: ");
    if (failingMs >= this.#options.staleAfterMs) this.#condition.mark("stale", reason);
    this.#moved();
    await clock.sleep(retryInMs, signal);
  }

  async #claim(signal: AbortSignal): Promise<void> {
    const onMove = (): void => this.#moved();
    const session = await Session.open(this.scope, this.#deps, this.#options, this.#hooks, {
      onMove,
      signal,
    });
    this.#session = session;
    this.#condition.resume(session.told);
    await this.#condition.tell(session.say(signal), this.#deps.feedOutage.covers(this.scope));
    this.#step("claimed");
  }

  get #isClaimed(): boolean {
    return this.#state !== "claim" && this.#state !== "claim-gone" && this.#state !== "drained";
  }

  async #pollOnce(signal: AbortSignal): Promise<void> {
    const session = this.#session as Session;
    this.#moved();
    await this.#poll.ready(signal);
    await this.#roomInBacklog(session, signal);
    signal.throwIfAborted();
    const hold = this.#state === "watch" || this.#state === "watch-gone";
    const beganAtMs = this.#deps.clock.elapsed();
    const result = await this.#poll.run(session, hold, signal);
    if (result.kind === "failed" && !result.endedEarly)
      traceFailedPoll(this.#deps.tracer, this.scope, result.error, beganAtMs);
    this.#step(await this.#react(session, result, signal));
  }

  /** Does what a poll's result asks for. */
  async #react(session: Session, result: PollResult, signal: AbortSignal): Promise<LoopEvent> {
    switch (result.kind) {
      case "interrupted":
        return result.why;
      case "failed":
        return this.#failed(session, result, signal);
      case "polled":
        return this.#take(session, result.observation, signal);
      default:
        return result satisfies never;
    }
  }

  #step(event: LoopEvent): void {
    if (this.#state !== "drained") this.#state = nextState(this.#state, event);
  }

  /** While the log does not take what others have read, nothing more is read. */
  async #roomInBacklog(session: Session, signal: AbortSignal): Promise<void> {
    const { backlog, clock } = this.#deps;
    const sinceMs = clock.elapsed();
    while (backlog.full && !signal.aborted) {
      this.#held = true;
      // What may not be seen is no less hidden for it.
      if (
        clock.elapsed() - sinceMs >= this.#options.staleAfterMs &&
        this.#condition.trouble !== "access-lost"
      )
        this.#condition.mark("stale", HELD);
      this.#moved();
      await clock.sleep(BACKLOG_CHECK_MS, signal);
    }
    this.#held = false;
    // What held it up was not its own.
    if (this.#condition.reason === HELD && this.#progress.wasRead)
      await this.#condition.clear(session.say(signal));
  }

  /** Every few minutes: what the shortcuts of the polls may have missed is found, and told. */
  async #tellMissed(session: Session, signal: AbortSignal): Promise<void> {
    const { clock, metrics } = this.#deps;
    if (clock.elapsed() < this.#canonicalAtMs) return;
    this.#canonicalAtMs = clock.elapsed() + this.#options.fullEveryMs;
    const objects = await session.tellMissed({ onMove: () => this.#moved(), signal });
    if (objects === undefined) return;
    metrics.canonicalPasses.inc({ resource: this.scope.resource });
    if (objects > 0)
      this.#logger.error({ objects }, "changes had been missed and are in the feed now: please report this");
  }

  /** An accepted list: commit it, then say how the scope is. */
  async #take(session: Session, observation: Observation, signal: AbortSignal): Promise<LoopEvent> {
    const { changes, restored, next } = observation;
    const isFirst = !session.caughtUp;
    this.#progress.takes();
    const { backlog, clock, tracer } = this.#deps;
    const trace = tracePoll(tracer, this.scope, observation, clock.elapsed());
    const events = await within(trace, () =>
      backlog.whileWriting(observation.bytes, () => session.accept(observation, signal, trace)),
    );
    this.#measure(observation);
    if (restored !== null) this.#logger.warn({ events }, `Nomad's state was restored: ${restored}`);
    if (changes.length > 0) this.#logger.debug({ changes: changes.length, events }, "committed");
    await this.#succeeded(session, observation, signal);
    if (observation.hinted === null) await this.#tellMissed(session, signal);
    if (isFirst || changes.length > 0) this.#hooks.onSnapshot?.(next);
    if (observation.namespaceGone) return next.count === 0 ? "found-gone-empty" : "found-gone";
    return next.count === 0 ? "polled-empty" : "polled";
  }

  async #succeeded(session: Session, { hiddenNamespaces }: Observation, signal: AbortSignal): Promise<void> {
    const { outages, feedOutage } = this.#deps;
    this.#backoff.reset();
    this.#refusals.reset();
    this.#progress.succeeded();
    outages.recovered(this.scope);
    feedOutage.read(this.scope);
    if (hiddenNamespaces.length === 0) return this.#condition.clear(session.say(signal));
    const reason = `the token may no longer see ${hiddenNamespaces.join(", ")}; the last known objects there are kept`;
    await this.#condition.enter("access-lost", reason, session.say(signal));
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

  async #failed(
    session: Session,
    { error, endedEarly }: Extract<PollResult, { kind: "failed" }>,
    signal: AbortSignal,
  ): Promise<LoopEvent> {
    if (endedEarly) {
      await this.#pauseAfter(error, signal);
      return "ended-early";
    }
    if (await this.#endedWithNamespace(session, error, signal)) return "refused-gone";
    await this.#backOff(session, error, signal);
    return "failed";
  }

  /** Something between ended the held query: the next one waits with the same index. */
  async #pauseAfter(error: ChangefeedError, signal: AbortSignal): Promise<void> {
    const { clock, metrics, random } = this.#deps;
    metrics.polls.inc({ resource: this.scope.resource, outcome: "ended-early" });
    this.#logger.debug({ code: error.code }, error.message);
    await clock.sleep(random() * SPREAD_MS, signal);
  }

  async #backOff(session: Session, error: ChangefeedError, signal: AbortSignal): Promise<void> {
    const { clock, metrics, outages, feedOutage, random } = this.#deps;
    const outcome = error instanceof ImplausibleResponse ? "implausible" : "failed";
    metrics.polls.inc({ resource: this.scope.resource, outcome });
    metrics.nomadErrors.inc({ code: error.code });
    const { failingMs, reason } = this.#progress.failed(error);
    feedOutage.failed(this.scope, { failingMs, reason, observedAt: session.last.observedAt });
    const say = session.say(signal);
    const lack = lackOf(this.scope.resource, error);
    const isRefused = REFUSALS.has(error.code);
    if (!isRefused) this.#refusals.reset();
    const isDoubted = isRefused && session.baselined && this.#refusals.doubts();
    if (lack !== null) await this.#condition.enter("unsupported", lack, say);
    else if (isRefused && !isDoubted) await this.#condition.enter("access-lost", reason, say);
    else if (failingMs >= this.#options.staleAfterMs) {
      const covered = error instanceof NomadError && feedOutage.covers(this.scope);
      await this.#condition.enter("stale", reason, say, covered);
    }
    // What somebody would have to upgrade, or to allow for the first time, is nothing that comes back in seconds.
    if (lack !== null || (isRefused && !session.baselined && !isCore(this.scope.resource))) {
      outages.lacks(this.scope, lack ?? error.hint ?? reason);
      return clock.sleep(LOOK_AGAIN_MS * (1 + random()), signal);
    }
    const delayMs = this.#backoff.next(shortestRetryMs(error));
    outages.failed(this.scope, error, delayMs);
    await clock.sleep(delayMs, signal);
  }

  #measure(observation: Observation): void {
    const { metrics, clock } = this.#deps;
    const { resource, namespace } = this.scope;
    metrics.polls.inc({ resource, outcome: observation.changes.length > 0 ? "changed" : "unchanged" });
    metrics.pollBytes.inc({ resource }, observation.bytes);
    metrics.pollSeconds.observe({ resource }, (clock.elapsed() - observation.arrivedAtMs) / 1000);
    metrics.scopeIndex.set({ resource, namespace }, Number(observation.index));
    metrics.scopeObjects.set({ resource, namespace }, observation.next.count);
    metrics.scopeLastOk.set({ resource, namespace }, clock.now() / 1000);
  }

  #moved(): void {
    this.#progress.moved();
  }
}
