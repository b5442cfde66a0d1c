import { Conflict, Fenced } from "../feed/errors.ts";
import type { Checkpoint, Claim, FeedLog } from "../feed/log.ts";
import type { EventContext, Observation as ObservationFacts } from "../events/build.ts";
import type { Consistency, NomadApi } from "../nomad/api.ts";
import { NomadError } from "../nomad/errors.ts";
import type { Change } from "../schemas/change.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import { RESOURCES } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import { diffWhole, snapshotOfStubs, type Snapshot } from "../snapshots/snapshot.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { Backoff } from "./backoff.ts";
import type { Piece } from "./chunks.ts";
import type { Clock } from "./clock.ts";
import { observe, type Observation } from "./observe.ts";
import type { OutageReporter } from "./outage-reporter.ts";
import { Pacer } from "./pacer.ts";
import { baselinePieces, changePieces, controlPiece, resyncPieces } from "./pieces.ts";
import { ScopeWriter } from "./scope-writer.ts";

export interface PollerDeps {
  readonly nomad: NomadApi;
  readonly log: FeedLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: () => number;
  readonly outages: OutageReporter;
}

export interface PollerOptions {
  /** `nomad://<cluster>/<region>`. */
  readonly source: string;
  /** Names this process to people looking at the log. */
  readonly owner: string;
  readonly waitMs: number;
  readonly consistency: Consistency;
  /** What a scope's first poll leaves in the log: one mark, or one `snapshot` event an object as well. */
  readonly baseline: "marker" | "events";
  readonly maxEventBytes: number;
  /** How often a whole canonical comparison backs the fast one. */
  readonly canonicalEveryMs: number;
  /** How long a scope may go unread before the feed says that it is stale. */
  readonly staleAfterMs: number;
  /** How often the checkpoint follows an index that moves without a change. */
  readonly checkpointEveryMs: number;
  /** Steady and burst rate of polls of one scope. */
  readonly pace: { readonly perSecond: number; readonly burst: number };
}

/** What a scope's owner may want to know or add; all optional. */
export interface ScopeHooks {
  /** Called with the scope's objects after every believed poll that changed them, and after the first. */
  onSnapshot?(snapshot: Snapshot): void;
  /** Scopes that this change proves to begin empty. */
  birthsOf?(change: Change): readonly Scope[];
}

export type Condition = "starting" | "ok" | "stale" | "access-lost";

export interface ScopeReport {
  readonly scope: Scope;
  readonly baselined: boolean;
  readonly condition: Condition;
  /** Why the condition is not ok. */
  readonly reason: string | null;
  readonly index: string | null;
  readonly count: number;
  readonly lastOkAtMs: number | null;
  readonly lastMoveAtMs: number;
}

/** `stopped`: the signal aborted; `fenced`: another claim; `drained`: the namespace is gone and empty. */
export type Outcome = "stopped" | "fenced" | "drained";

/** What a claim holds in memory; all of it was committed. */
interface Session {
  readonly claim: Claim;
  readonly writer: ScopeWriter;
  snapshot: Snapshot;
  baselined: boolean;
  /** Whether the next diff is the first since the claim. */
  first: boolean;
  /** Whether the next query must answer at once. */
  fresh: boolean;
  index: string | null;
  nomadEpoch: number;
  observedAt: string | null;
  hiddenNamespaces: ReadonlySet<string>;
  checkpointedAtMs: number;
}

/**
 * Follows one scope: claim it, load its last state, then hold one blocking query after another, diff each
 * believed list against the state, and commit what differs. The list is the truth, the index only a doorbell.
 *
 *     claim ─▶ first poll (baseline or catch-up) ─▶ watch ─▶ … ─▶ stopped | fenced | drained
 *        ▲                                            │
 *        └──────────── conflict, log lost ────────────┘      a failed query only backs off and asks afresh
 */
export class ScopeLoop {
  readonly scope: Scope;
  readonly #deps: PollerDeps;
  readonly #options: PollerOptions;
  readonly #hooks: ScopeHooks;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #pacer: Pacer;
  #session: Session | undefined;
  #condition: Condition = "starting";
  #reason: string | null = null;
  #lastOkAtMs: number | null = null;
  #firstFailureAtMs: number | null = null;
  #lastMoveAtMs: number;
  #canonicalAtMs: number;
  #baselined = false;
  #namespaceGone = false;

  constructor(scope: Scope, deps: PollerDeps, options: PollerOptions, hooks: ScopeHooks = {}) {
    this.scope = scope;
    this.#deps = deps;
    this.#options = options;
    this.#hooks = hooks;
    this.#logger = deps.logger.child({ scope: scopeName(scope) });
    this.#backoff = new Backoff({ baseMs: 500, maxMs: 30_000, random: deps.random });
    this.#pacer = new Pacer(deps.clock, options.pace);
    this.#lastMoveAtMs = deps.clock.now();
    // The first pass is spread so that forty scopes do not take theirs at once.
    this.#canonicalAtMs = deps.clock.now() + options.canonicalEveryMs * (1 + deps.random());
  }

  report(): ScopeReport {
    return {
      scope: this.scope,
      baselined: this.#baselined,
      condition: this.#condition,
      reason: this.#reason,
      index: this.#session?.index ?? null,
      count: this.#session?.snapshot.count ?? 0,
      lastOkAtMs: this.#lastOkAtMs,
      lastMoveAtMs: this.#lastMoveAtMs,
    };
  }

  /** The scope's namespace was deleted: go on until the last of its objects is gone, then end.
   * `false`: it came back. */
  drain(gone = true): void {
    this.#namespaceGone = gone;
  }

  /** Whether a draining scope has nothing left to wait for. */
  get drained(): boolean {
    return this.#namespaceGone && this.#baselined && this.#session?.snapshot.count === 0;
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    while (!signal.aborted) {
      try {
        return await this.#hold(signal);
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

  async #startOver(error: unknown, signal: AbortSignal): Promise<void> {
    const delayMs = this.#backoff.next();
    const known = error instanceof ChangefeedError;
    const level = error instanceof Conflict ? "warn" : "error";
    this.#logger[level](
      {
        code: known ? error.code : "UNEXPECTED",
        hint: known ? error.hint : undefined,
        retryInMs: delayMs,
        err: known ? undefined : error,
      },
      `reading the scope anew: ${error instanceof Error ? error.message : String(error)}`,
    );
    this.#moved();
    await this.#deps.clock.sleep(delayMs, signal);
  }

  async #hold(signal: AbortSignal): Promise<Outcome> {
    const session = await this.#claim();
    this.#session = session;
    for (;;) {
      this.#moved();
      await this.#pacer.ready(signal);
      signal.throwIfAborted();
      let observation: Observation;
      try {
        observation = await this.#observe(session, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ChangefeedError)) throw error;
        if (await this.#endsWithNamespace(session, error, signal)) return "drained";
        await this.#failed(session, error, signal);
        continue;
      }
      const endTimer = this.#deps.metrics.pollSeconds.startTimer({ resource: this.scope.resource });
      await this.#apply(session, observation, signal);
      endTimer();
      if (this.drained) return "drained";
    }
  }

  async #claim(): Promise<Session> {
    const { log, clock } = this.#deps;
    const claim = await log.claim(this.scope, this.#options.owner);
    const stubs: Buffer[] = [];
    for await (const batch of log.loadState(this.scope)) {
      for (const entry of batch) stubs.push(entry.stub);
      this.#moved();
      await clock.breathe();
    }
    const snapshot = snapshotOfStubs(RESOURCES[this.scope.resource], stubs);
    this.#baselined = claim.baselined;
    this.#logger.debug(
      { fence: claim.fence, objects: snapshot.count, index: claim.checkpoint?.index },
      "claimed",
    );
    return {
      claim,
      writer: new ScopeWriter(claim, this.#deps, () => this.#moved()),
      snapshot,
      baselined: claim.baselined,
      first: true,
      fresh: true,
      index: claim.checkpoint?.index ?? null,
      nomadEpoch: claim.checkpoint?.nomadEpoch ?? (await log.head()).nomadEpoch,
      observedAt: claim.checkpoint?.observedAt ?? null,
      hiddenNamespaces: new Set(),
      checkpointedAtMs: clock.now(),
    };
  }

  async #observe(session: Session, signal: AbortSignal): Promise<Observation> {
    const { nomad, clock } = this.#deps;
    const canonical = clock.now() >= this.#canonicalAtMs;
    if (canonical) this.#canonicalAtMs = clock.now() + this.#options.canonicalEveryMs;
    const observation = await observe(nomad, clock, {
      scope: this.scope,
      previous: session.snapshot,
      lastIndex: session.index,
      hiddenBefore: session.hiddenNamespaces,
      waitMs: session.fresh ? null : this.#options.waitMs,
      consistency: this.#options.consistency,
      canonical,
      signal,
      onMove: () => this.#moved(),
    });
    this.#pacer.spend(observation.response.body.length);
    return observation;
  }

  /** Commits what a believed poll found, and only then takes it for the scope's state. */
  async #apply(session: Session, observation: Observation, signal: AbortSignal): Promise<void> {
    const { clock, metrics, log } = this.#deps;
    const { response, next, changes, restored } = observation;
    const observedAt = new Date(clock.now()).toISOString();
    const nomadEpoch =
      restored === null
        ? session.nomadEpoch
        : Math.max(session.nomadEpoch + 1, (await log.head()).nomadEpoch);
    const checkpoint: Checkpoint = { index: response.index, nomadEpoch, count: next.count, observedAt };
    const pieces = this.#piecesOf(session, observation, observedAt, nomadEpoch);
    const overdue =
      response.index !== session.index &&
      clock.now() - session.checkpointedAtMs >= this.#options.checkpointEveryMs;
    const news = changes.length > 0 || restored !== null || session.first || !session.baselined;
    let events = 0;
    if (news || overdue) {
      events = await session.writer.write(pieces, checkpoint, signal);
      session.checkpointedAtMs = clock.now();
    }
    const changed = changes.length > 0 || session.first;
    Object.assign(session, {
      snapshot: next,
      baselined: true,
      first: false,
      fresh: false,
      index: response.index,
      nomadEpoch,
      observedAt,
      hiddenNamespaces: new Set(observation.hiddenNamespaces),
    } satisfies Partial<Session>);
    this.#baselined = true;
    this.#namespaceGone ||= observation.namespaceGone;
    this.#measure(observation, changes.length > 0);
    if (restored !== null)
      this.#logger.warn({ nomadEpoch, events }, `Nomad's state was restored: ${restored}`);
    if (changes.length > 0)
      this.#logger.debug({ changes: changes.length, events, index: response.index }, "committed");
    metrics.scopeLastOk.set(this.#labels(), clock.now() / 1000);
    await this.#succeeded(session, observation.hiddenNamespaces, signal);
    if (changed) this.#hooks.onSnapshot?.(next);
  }

  #piecesOf(
    session: Session,
    observation: Observation,
    observedAt: string,
    nomadEpoch: number,
  ): Iterable<Piece> {
    const { response, changes, restored, next } = observation;
    const context = this.#context(session, observedAt, nomadEpoch, {
      mode: restored === null ? (session.first ? "catchup" : "live") : "resync",
      toIndex: response.index,
    });
    const occurrence = { context, discriminator: this.#discriminator(session) };
    if (!session.baselined) {
      const found = { changes, count: next.count, index: response.index };
      return baselinePieces(this.scope, found, this.#options.baseline === "events", occurrence);
    }
    const pieces = changePieces(changes, context, (change) => this.#hooks.birthsOf?.(change) ?? []);
    return restored === null ? pieces : resyncPieces(this.scope, restored, pieces, occurrence);
  }

  #context(
    session: Session,
    observedAt: string,
    nomadEpoch: number,
    facts: Pick<ObservationFacts, "mode" | "toIndex">,
  ): EventContext {
    // After a restore the old index belongs to another history and bounds nothing.
    const fromIndex = nomadEpoch === session.nomadEpoch ? session.index : null;
    return {
      source: this.#options.source,
      nomadEpoch,
      observation: { ...facts, fromIndex, since: session.observedAt, observedAt },
      maxEventBytes: this.#options.maxEventBytes,
    };
  }

  #discriminator(session: Session): string {
    return `${session.claim.fence}.${session.writer.rev}`;
  }

  /** A refused list of a namespace that does not exist any more: what was in it is gone. */
  async #endsWithNamespace(session: Session, error: ChangefeedError, signal: AbortSignal): Promise<boolean> {
    if (!(error instanceof NomadError) || error.code !== "NOMAD_FORBIDDEN") return false;
    if (this.scope.namespace === "*" || this.scope.namespace === "-" || !session.baselined) return false;
    const presence = await this.#deps.nomad
      .namespacePresence(this.scope.namespace, signal)
      .catch(() => "hidden" as const);
    if (presence !== "absent") return false;
    const diff = diffWhole(session.snapshot, Buffer.from("[]"));
    const index = session.index ?? "1";
    const observedAt = new Date(this.#deps.clock.now()).toISOString();
    const context = this.#context(session, observedAt, session.nomadEpoch, { mode: "live", toIndex: index });
    const pieces = changePieces(diff.changes, context, () => []);
    const checkpoint = { index, nomadEpoch: session.nomadEpoch, count: 0, observedAt };
    await session.writer.write(pieces, checkpoint, signal);
    session.snapshot = diff.next;
    return true;
  }

  async #failed(session: Session, error: ChangefeedError, signal: AbortSignal): Promise<void> {
    const { clock, metrics, outages } = this.#deps;
    session.fresh = true;
    metrics.polls.inc({
      resource: this.scope.resource,
      outcome: error.code === "NOMAD_DISTRUSTED" ? "distrusted" : "failed",
    });
    metrics.nomadErrors.inc({ code: error.code });
    this.#firstFailureAtMs ??= clock.now();
    const refused =
      error.code === "NOMAD_FORBIDDEN" ||
      error.code === "NOMAD_UNAUTHORIZED" ||
      error.code === "NOMAD_TOKEN_EXPIRED";
    const unreadMs = clock.now() - (this.#lastOkAtMs ?? this.#firstFailureAtMs);
    if (refused) await this.#enter(session, "access-lost", error.message, signal);
    else if (unreadMs >= this.#options.staleAfterMs)
      await this.#enter(session, "stale", error.message, signal);
    const retryAfterMs = error instanceof NomadError ? (error.retryAfterMs ?? 0) : 0;
    const delayMs = this.#backoff.next(error.retryable ? retryAfterMs : Math.max(retryAfterMs, 1_000));
    outages.failed(this.scope, error, delayMs);
    await clock.sleep(delayMs, signal);
  }

  async #succeeded(session: Session, hidden: readonly string[], signal: AbortSignal): Promise<void> {
    this.#backoff.reset();
    this.#firstFailureAtMs = null;
    this.#lastOkAtMs = this.#deps.clock.now();
    this.#deps.outages.recovered(this.scope);
    if (hidden.length > 0) {
      const reason = `the token may no longer see ${hidden.join(", ")}; the last known objects there are kept`;
      await this.#enter(session, "access-lost", reason, signal);
      return;
    }
    const before = this.#condition;
    if (before === "stale") await this.#say(session, "recovered", "the scope is read again", signal);
    if (before === "access-lost")
      await this.#say(session, "access-restored", "the scope may be read again", signal);
    this.#condition = "ok";
    this.#reason = null;
    this.#deps.metrics.scopeStale.set(this.#labels(), 0);
  }

  async #enter(
    session: Session,
    condition: "stale" | "access-lost",
    reason: string,
    signal: AbortSignal,
  ): Promise<void> {
    this.#reason = reason;
    if (this.#condition === condition) return;
    await this.#say(session, condition, reason, signal);
    this.#condition = condition;
    this.#deps.metrics.scopeStale.set(this.#labels(), 1);
    this.#logger.warn({ condition }, `the feed says of ${scopeName(this.scope)}: ${condition}; ${reason}`);
  }

  async #say(
    session: Session,
    state: "stale" | "recovered" | "access-lost" | "access-restored",
    reason: string,
    signal: AbortSignal,
  ): Promise<void> {
    const observedAt = new Date(this.#deps.clock.now()).toISOString();
    const context = this.#context(session, observedAt, session.nomadEpoch, {
      mode: "live",
      toIndex: session.index ?? "0",
    });
    const since = session.observedAt ?? undefined;
    const piece = controlPiece(
      { kind: "scope", scope: this.scope, state, reason, ...(since === undefined ? {} : { since }) },
      { context, discriminator: this.#discriminator(session) },
    );
    await session.writer.write([piece], undefined, signal);
  }

  #measure(observation: Observation, changed: boolean): void {
    const { metrics } = this.#deps;
    const { resource } = this.scope;
    metrics.polls.inc({ resource, outcome: changed ? "changed" : "unchanged" });
    metrics.pollBytes.inc({ resource }, observation.response.body.length);
    metrics.scopeIndex.set(this.#labels(), Number(observation.response.index));
    metrics.scopeObjects.set(this.#labels(), observation.next.count);
  }

  #labels(): { resource: string; namespace: string } {
    return { resource: this.scope.resource, namespace: this.scope.namespace };
  }

  #moved(): void {
    this.#lastMoveAtMs = this.#deps.clock.now();
  }
}
