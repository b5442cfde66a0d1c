import { orderChanges, stateRevOf, type EventContext } from "../events/build.ts";
import type { Checkpoint, Claim, ScopeNotes } from "../feed/log.ts";
import type { Change } from "../schemas/change.ts";
import { createIndexOf, RESOURCES, subjectOf, type ObjectRef } from "../schemas/resources.ts";
import { scopeName, type Scope } from "../schemas/scope.ts";
import { diffWhole, rebuildInSlices, type Snapshot } from "../snapshots/snapshot.ts";
import { within, type TraceSpan } from "../telemetry/tracing.ts";
import type { CommitUnit } from "./chunks.ts";
import { inSlices } from "./in-slices.ts";
import { missedChanges } from "./missed-changes.ts";
import type { Observation } from "./observe.ts";
import { baselineUnits, changeUnits, controlUnit, resyncUnits, type Occurrence } from "./commit-units.ts";
import type { PollerDeps, PollerOptions, ScopeHooks } from "./poller.ts";
import { isTrouble, type Say, type Told } from "./scope-condition.ts";
import { ScopeWriter } from "./scope-writer.ts";

/** A name is registered and purged again and again; what a restore brings back was deleted not long ago. */
const DELETES_LOOKED_AT = 100;

/** What has to be remembered of the last accepted poll to make sense of the next. */
interface Remembered {
  readonly snapshot: Snapshot;
  readonly index: string | null;
  /** The highest that was answered, for the list or for single objects read since. */
  readonly seenIndex: string | null;
  readonly nomadEpoch: number;
  readonly observedAt: string | null;
}

/**
 * One claim of a scope: its state in memory, all of which was committed, and the way to commit more. Thrown away
 * whole when the claim or the log is lost.
 */
export class Session {
  readonly #scope: Scope;
  readonly #deps: PollerDeps;
  readonly #options: PollerOptions;
  readonly #hooks: ScopeHooks;
  readonly #claim: Claim;
  readonly #writer: ScopeWriter;
  #notes: ScopeNotes;
  #borrowed: boolean;
  #last: Remembered;
  #baselined: boolean;
  #caughtUp = false;
  #checkpointedAtMs: number;

  static async open(
    scope: Scope,
    deps: PollerDeps,
    options: PollerOptions,
    hooks: ScopeHooks,
    pause: { onMove: () => void; signal: AbortSignal },
  ): Promise<Session> {
    const { onMove, signal } = pause;
    const { log, clock, logger } = deps;
    const claim = await log.claim(scope, options.owner);
    const stubs: Buffer[] = [];
    for await (const batch of log.loadState(scope)) {
      for (const entry of batch) stubs.push(entry.stub);
      onMove();
      await clock.yield();
      signal.throwIfAborted();
    }
    const { checkpoint } = claim;
    const last: Remembered = {
      snapshot: await inSlices(rebuildInSlices(RESOURCES[scope.resource], stubs), { clock, onMove, signal }),
      index: checkpoint?.index ?? null,
      seenIndex: seenIndexOf(claim),
      nomadEpoch: checkpoint?.nomadEpoch ?? (await log.head()).nomadEpoch,
      observedAt: checkpoint?.observedAt ?? null,
    };
    logger.debug(
      { scope: scopeName(scope), fence: claim.fence, objects: stubs.length, index: last.index },
      "claimed",
    );
    return new Session(scope, deps, options, hooks, claim, last, new ScopeWriter(claim, deps, onMove));
  }

  private constructor(
    scope: Scope,
    deps: PollerDeps,
    options: PollerOptions,
    hooks: ScopeHooks,
    claim: Claim,
    last: Remembered,
    writer: ScopeWriter,
  ) {
    this.#scope = scope;
    this.#deps = deps;
    this.#options = options;
    this.#hooks = hooks;
    this.#claim = claim;
    this.#writer = writer;
    this.#last = last;
    this.#notes = claim.notes;
    this.#borrowed = claim.borrowed;
    this.#baselined = claim.baselined;
    this.#checkpointedAtMs = deps.clock.elapsed();
  }

  get last(): Remembered {
    return this.#last;
  }

  /** Namespaces whose objects were kept unseen at the last poll, also at one before a restart. */
  get hiddenNamespaces(): ReadonlySet<string> {
    return new Set(this.#notes.hiddenNamespaces);
  }

  /** Why the log takes nothing at the moment; null while it does. */
  get paused(): string | null {
    return this.#writer.paused;
  }

  get baselined(): boolean {
    return this.#baselined;
  }

  /** Whether a list was accepted under this claim. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** The trouble that the log holds, also from an earlier claim, and that is not over. */
  get told(): Told {
    return this.#notes;
  }

  /**
   * Whether what was not seen at the last index may have been there all the same: in a list that Nomad does not refuse,
   * but filters.
   */
  get mayWiden(): boolean {
    const { grants, refusedAt } = RESOURCES[this.#scope.resource];
    const isRefused = grants.length > 0 && refusedAt === undefined;
    return this.#scope.namespace === "*" || !isRefused || this.#borrowed;
  }

  /** Whether the last index is another scope's. */
  get borrowed(): boolean {
    return this.#borrowed;
  }

  /** Whether the log holds a delete of the object with this identity that was created at that index. */
  async wasDeleted(ref: ObjectRef, createIndex: bigint): Promise<boolean> {
    const query = { ...ref, op: "delete", order: "newest-first", limit: DELETES_LOOKED_AT } as const;
    const deletes = await this.#deps.log.history(query);
    return deletes.some(({ json }) => createdIn(json) === String(createIndex));
  }

  /**
   * Commits what an accepted poll found, and only then takes it for the scope's state. Answers the events written.
   * `trace`: of the poll.
   */
  accept(observation: Observation, signal: AbortSignal, trace?: TraceSpan): Promise<number> {
    const { hinted } = observation;
    return hinted === null
      ? this.#acceptList(observation, signal, trace)
      : this.#acceptHinted({ ...observation, hinted }, signal, trace);
  }

  /** Single objects move no checkpoint: what is known of all is known at the last list's index. */
  async #acceptHinted(
    { index, changes, next, hinted }: Observation & { hinted: ReadonlySet<string> },
    signal: AbortSignal,
    trace: TraceSpan | undefined,
  ): Promise<number> {
    const { nomadEpoch } = this.#last;
    const superseded = supersededIn(changes);
    const context = {
      ...this.#context("live", index, this.#nowText(), nomadEpoch),
      hinted,
      superseded,
      ...(await this.#foundOf(changes, signal, trace)),
    };
    const commit = trace?.child("commit");
    const seenIndex = higher(this.#last.seenIndex, index);
    const notes = { ...this.#notes, seenIndex };
    // In the order in which they were read: an object may have been deleted, and created again.
    const units = changeUnits(changes, { ...context, traceparent: commit?.traceparent }, () => []);
    const write = () => this.#writer.write(units, { notes }, signal);
    const events = changes.length === 0 ? 0 : await within(commit, write);
    if (changes.length > 0) this.#notes = notes;
    this.#last = { ...this.#last, snapshot: next, seenIndex };
    return events;
  }

  async #acceptList(
    observation: Observation,
    signal: AbortSignal,
    trace: TraceSpan | undefined,
  ): Promise<number> {
    const { index, next, changes, hiddenNamespaces } = observation;
    const restored = observation.restored ?? this.#unfinishedResync();
    const elapsed = this.#deps.clock.elapsed();
    const observedAt = this.#nowText();
    const nomadEpoch = restored === null ? this.#last.nomadEpoch : await this.#nextNomadEpoch();
    const reused = this.#reusedNamespaces(observation.reusedNamespaces);
    // Of another history, what was read before means nothing.
    const seenIndex = restored === null ? higher(this.#last.seenIndex, index) : index;
    const { seenIndex: _before, ...others } = this.#notes;
    const notes = {
      ...others,
      ...(seenIndex !== index && { seenIndex }),
      resync: null,
      hiddenNamespaces,
      ...(reused.size > 0 && { reusedNamespaces: [...reused] }),
    };
    const moved = index !== this.#last.index;
    const overdue = moved && elapsed - this.#checkpointedAtMs >= this.#options.checkpointEveryMs;
    const hidesOthers = hiddenNamespaces.join() !== this.#notes.hiddenNamespaces.join();
    let events = 0;
    if (changes.length > 0 || restored !== null || !this.#caughtUp || overdue || hidesOthers) {
      const found = this.#baselined ? await this.#foundOf(changes, signal, trace) : {};
      const commit = trace?.child("commit");
      const facts = { observedAt, nomadEpoch, traceparent: commit?.traceparent, ...found };
      const units = this.#units(observation, restored, facts);
      const checkpoint: Checkpoint = { index, nomadEpoch, count: next.count, observedAt };
      const resync = restored === null ? null : { reason: restored, nomadEpoch };
      const notesMeanwhile = { ...this.#notes, resync };
      const end = { checkpoint, notes, notesMeanwhile };
      events = await within(commit, () => this.#writer.write(units, end, signal));
      this.#notes = notes;
      this.#borrowed = false;
      this.#checkpointedAtMs = elapsed;
    }
    this.#baselined = true;
    this.#caughtUp = true;
    this.#last = { snapshot: next, index, seenIndex, nomadEpoch, observedAt };
    if (moved) this.#hooks.onWrite?.();
    return events;
  }

  /**
   * Tells what the last accepted list holds and the feed, for whatever reason, has not told; since when it was so is
   * not known. Answers of how many objects; undefined where that could not be found out.
   */
  async tellMissed(pause: { onMove: () => void; signal: AbortSignal }): Promise<number | undefined> {
    const { log, clock } = this.#deps;
    const { snapshot, index, nomadEpoch } = this.#last;
    const changes = await missedChanges(log, this.#scope, snapshot, { clock, ...pause });
    if (changes === undefined || index === null || changes.length === 0) return changes?.length;
    const context = this.#context("live", index, this.#nowText(), nomadEpoch);
    const observation = { ...context.observation, fromIndex: null, since: null };
    await this.#writer.write(
      changeUnits(orderChanges(changes), { ...context, observation }, () => []),
      {},
      pause.signal,
    );
    return changes.length;
  }

  /** The scope's namespace does not exist any more: everything in it is gone. */
  async acceptGone(signal: AbortSignal): Promise<void> {
    const { changes, next } = diffWhole(this.#last.snapshot, Buffer.from("[]"));
    const observedAt = this.#nowText();
    const { nomadEpoch } = this.#last;
    const index = this.#last.index ?? "1";
    const units = changeUnits(
      orderChanges(changes),
      this.#context("live", index, observedAt, nomadEpoch),
      () => [],
    );
    await this.#writer.write(units, { checkpoint: { index, nomadEpoch, count: 0, observedAt } }, signal);
    this.#last = { ...this.#last, snapshot: next, observedAt };
  }

  /** Writes a `nomad.feed.scope` event about this scope unless it is covered, and remembers the trouble. */
  say(signal: AbortSignal): Say {
    return async (state, reason, covered) => {
      const { index, nomadEpoch, observedAt } = this.#last;
      const context = this.#context("live", index ?? "0", this.#nowText(), nomadEpoch);
      const since = observedAt === null ? {} : { since: observedAt };
      const unit = controlUnit(
        { kind: "scope", scope: this.#scope, state, reason, ...since },
        this.#occurrence(context),
      );
      const trouble = isTrouble(state) ? state : null;
      const notes = { ...this.#notes, trouble, covered: covered && trouble !== null };
      await this.#writer.write(covered ? [] : [unit], { notes }, signal);
      this.#notes = notes;
    };
  }

  /**
   * A resync that a crash cut off is begun anew, in a generation of its own: what was restored meanwhile, and
   * whether it was again, cannot be told.
   */
  #unfinishedResync(): string | null {
    return this.#notes.resync === null
      ? null
      : `begun anew after an interruption: ${this.#notes.resync.reason}`;
  }

  async #foundOf(
    changes: readonly Change[],
    signal: AbortSignal,
    trace: TraceSpan | undefined,
  ): Promise<Pick<EventContext, "found">> {
    const { enricher } = this.#deps;
    if (enricher === undefined) return {};
    const found = await within(trace?.child("enrich"), () => enricher.of(changes, signal));
    return found.size === 0 ? {} : { found };
  }

  #units(
    observation: Observation,
    restored: string | null,
    {
      observedAt,
      nomadEpoch,
      traceparent,
      found,
    }: Pick<EventContext, "nomadEpoch" | "traceparent" | "found"> & { readonly observedAt: string },
  ): Iterable<CommitUnit> {
    const { index, changes, next } = observation;
    const catchingUp = this.#caughtUp ? "live" : "catchup";
    const mode = restored === null ? catchingUp : "resync";
    const context = {
      ...this.#context(mode, index, observedAt, nomadEpoch),
      reusedNamespaces: this.#reusedNamespaces(observation.reusedNamespaces),
      traceparent,
      ...(found && { found }),
    };
    const occurrence = this.#occurrence(context);
    if (!this.#baselined) {
      const baseline = { changes, count: next.count, index };
      return baselineUnits(this.#scope, baseline, this.#options.baseline === "events", occurrence);
    }
    const units = changeUnits(orderChanges(changes), context, (change) =>
      this.#knownEmptyScopesOf(change, context),
    );
    return restored === null ? units : resyncUnits(this.#scope, restored, units, occurrence);
  }

  /** A namespace that merely came to sight was not born: what is in it was there before. */
  #knownEmptyScopesOf(change: Change, { observation }: EventContext): readonly Scope[] {
    if (change.op !== "create" || this.#hooks.knownEmptyScopesOf === undefined) return [];
    const created = createIndexOf(change.after.value);
    const { fromIndex } = observation;
    const old = created !== undefined && fromIndex !== null && BigInt(created) <= BigInt(fromIndex);
    return old ? [] : this.#hooks.knownEmptyScopesOf(change);
  }

  #context(
    mode: EventContext["observation"]["mode"],
    toIndex: string,
    observedAt: string,
    nomadEpoch: number,
  ): EventContext {
    // After a restore the old index belongs to another history and bounds nothing.
    const fromIndex = nomadEpoch === this.#last.nomadEpoch ? this.#last.index : null;
    return {
      source: this.#options.source,
      nomadEpoch,
      observation: { mode, fromIndex, toIndex, since: this.#last.observedAt, observedAt },
      ...(toIndex === this.#last.index && { occasion: this.#occasion() }),
      reusedNamespaces: this.#reusedNamespaces(),
      maxEventBytes: this.#options.maxEventBytes,
    };
  }

  #reusedNamespaces(since: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
    return new Map([...(this.#notes.reusedNamespaces ?? []), ...since]);
  }

  #occurrence(context: EventContext): Occurrence {
    return { context, discriminator: this.#occasion() };
  }

  #occasion(): string {
    return `${this.#claim.fence}.${this.#writer.rev}`;
  }

  /** Of several scopes that notice one restore, the first makes the new generation and the others join it. */
  async #nextNomadEpoch(): Promise<number> {
    const { nomadEpoch } = await this.#deps.log.head();
    const mine = Math.max(this.#last.nomadEpoch, this.#notes.resync?.nomadEpoch ?? 0);
    return Math.max(mine + 1, nomadEpoch);
  }

  #nowText(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

/** Where other scopes followed the objects since, what this one saw may be of a history that is no more. */
function seenIndexOf({ checkpoint, borrowed, notes }: Claim): string | null {
  if (checkpoint === null || borrowed || notes.seenIndex === undefined) return checkpoint?.index ?? null;
  return higher(notes.seenIndex, checkpoint.index);
}

/** Versions of objects that other changes after them are of too. */
function supersededIn(changes: readonly Change[]): ReadonlySet<string> {
  const last = new Map(changes.map((change) => [subjectOf(change.ref), change]));
  const past = changes.filter((change) => last.get(subjectOf(change.ref)) !== change);
  return new Set(past.map((change) => `${subjectOf(change.ref)}@${stateRevOf(change)}`));
}

function higher(a: string | null, b: string): string {
  return a !== null && BigInt(a) > BigInt(b) ? a : b;
}

/** CreateIndex of the object that an event is about. */
function createdIn(json: string): string | undefined {
  const { data } = JSON.parse(json) as { data?: { rev?: { created?: string | null } } };
  return data?.rev?.created ?? undefined;
}
