import type { Consistency, ListResponse, NomadApi } from "../../nomad/api.ts";
import { publicReason } from "../../schemas/public-text.ts";
import type { JsonObject } from "../../schemas/json.ts";
import type { ObjectRef } from "../../schemas/resources.ts";
import type { Scope } from "../../schemas/scope.ts";
import { abortable } from "../../shared/abortable.ts";
import type { Clock } from "../../shared/clock.ts";
import type { ListComparison } from "../../snapshots/snapshot.ts";
import type { QueryWait } from "../query-wait.ts";
import type { Hint, HintFrame, HintListener, HintSubscription } from "./hint.ts";
import { ListSchedule, type ListCause, type ListScheduleOptions } from "./list-schedule.ts";
import { StubReader, type ReadStub } from "./stub-reader.ts";

/** Hands out hints: see HintSource. */
export interface Hints {
  want(scope: Scope, listener: HintListener): HintSubscription;
  /** Subscribes again: the namespaces of `*` are those that there were at the subscription. */
  renew(): void;
}

export interface ListArrival {
  readonly kind: "list";
  readonly response: ListResponse;
  /** Of hints, and the highest index that was answered, when the list was asked for. */
  readonly turn: number;
  readonly floor: string;
  /** When its body was whole, by the clock that nobody sets, ms. */
  readonly arrivedAtMs: number;
  readonly compared: ListComparison;
}

/** What came, in the order to be dealt with. No stubs: Nomad answers, and nothing new is known. */
export type Arrival = ListArrival | { readonly kind: "stubs"; readonly stubs: readonly ReadStub[] };

export interface HintedReadingParts {
  readonly scope: Scope;
  readonly nomad: Pick<NomadApi, "list">;
  readonly hints: Hints;
  readonly clock: Clock;
  readonly random: () => number;
  readonly queryWait: QueryWait;
  readonly consistency: Consistency;
  readonly schedule: ListScheduleOptions;
  /** A whole list is due, for this cause; `doubt`: what it was, in words. */
  readonly onListDue: (cause: ListCause, doubt: string | null) => void;
  /** Reads the whole list, at once. */
  readonly readList: (signal: AbortSignal) => Promise<ListResponse>;
  /** The stub of an object as it was last known; undefined where there is none. */
  readonly known: (ref: ObjectRef) => JsonObject | undefined;
  /** Compares it with the last one, beside what hints lead to meanwhile. */
  readonly compare: (body: Buffer, signal: AbortSignal) => Promise<ListComparison>;
}

/** The table's index may move with every write of others: so long the doorbell rests between two rings. */
const REST_MS = 100;
/** As for a list's blocking query: it takes two to learn how long one may wait. */
const MOST_ENDED_EARLY = 2;
const SPREAD_MS = 1_000;
/** That Nomad answers is told no more often. */
const TOLD_EVERY_MS = 1_000;
/** After so long it is asked again what the doorbell costs: Nomad may have been upgraded. */
const COST_HOLDS_MS = 3_600_000;
/** Where more objects are named than this, or than take as long to read as the list, the list is read. */
const MANY = 64;
const STUB_MS = 1;
/** While nobody takes what hints lead to, as when the log is away, no more of it is kept. */
const MOST_KEPT = 8_192;

/**
 * Reads one scope by hints: the objects that Nomad's event stream names, one by one, and the whole list rarely. A
 * doorbell, the cheapest query that blocks on the table's index, tells that something was written; where no hint
 * explains that index, a list follows. So a hint that is lost costs time, never an event.
 */
export class HintedReading {
  readonly #parts: HintedReadingParts;
  readonly #schedule: ListSchedule;
  readonly #stubs: StubReader;
  #subscription: HintSubscription | null = null;
  #isLive = false;
  /** How often hints began to come, or ceased. */
  #turns = 0;
  /** Whether a list was accepted that was asked for since everything is heard. */
  #isCovered = false;
  /** Highest index of the table that the doorbell, or a list, answered. */
  #seen = 0n;
  /** The same, of all that is known: a list that is asked for later and is older is of another history. */
  #known = 0n;
  /** Index of the last accepted list. */
  #listed = 0n;
  /** Where a job was last purged: another frame of that entry does not tell what went with it. */
  #purgedAt = 0n;
  /** Ends what is under way. */
  #work: AbortController | null = null;
  #list: ListArrival | null = null;
  /** Resolves when the list that came is dealt with. */
  #dealtWith = Promise.withResolvers<void>();
  #rang = false;
  /** Bytes of the doorbell's last answer, and when it came. */
  #answered = { bytes: 0, atMs: 0 };
  /** When the last arrival was handed out. */
  #toldAtMs = 0;
  #failure: unknown = null;
  #arrived = Promise.withResolvers<void>();
  /** Ends the wait for hints to come. */
  readonly #come = new AbortController();
  /** Ends the pause before the next list, for its time to be reckoned anew. */
  #replan = new AbortController();

  constructor(parts: HintedReadingParts) {
    this.#parts = parts;
    this.#schedule = new ListSchedule(parts.clock, parts.schedule);
    this.#stubs = new StubReader({
      known: parts.known,
      list: (request) => parts.nomad.list(request),
      consistency: parts.consistency,
      onRead: () => this.#arrived.resolve(),
      onFailed: (hint, error) => this.#failed(hint, error),
    });
  }

  /** Whether hints come, and the state covers all that was written before they did. */
  get active(): boolean {
    return this.#isLive && this.#isCovered;
  }

  /** Whether hints come and are of no use before a list is read. */
  get needsList(): boolean {
    return this.#isLive && !this.#isCovered;
  }

  get wanted(): boolean {
    return this.#subscription !== null;
  }

  /** Names the present turn of hints: to be known of a list when it is asked for. */
  get turn(): number {
    return this.#turns;
  }

  /**
   * Whether the doorbell's last answer had half as many bytes as the list, or more: Nomad before 1.3 answers it with the
   * whole list.
   */
  savesNothing(listBytes: number): boolean {
    const { bytes, atMs } = this.#answered;
    return 2 * bytes > listBytes && this.#parts.clock.elapsed() - atMs < COST_HOLDS_MS;
  }

  /** Asks for hints. They are of use after the first list that is accepted while they come. */
  want(): void {
    this.#subscription ??= this.#parts.hints.want(this.#parts.scope, {
      onFrame: (frame) => this.#onFrame(frame),
      onLive: () => this.#onLive(),
      onGap: (reason) => this.#onGap(reason),
    });
  }

  /** Resolves when hints have begun to come, or after `withinMs`. Rejects with the signal's reason. */
  async comes(withinMs: number, signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(withinMs, AbortSignal.any([signal, this.#come.signal]));
    signal.throwIfAborted();
  }

  /** Ends what is under way; the next lists are read whole, until one is accepted. */
  pause(): void {
    this.#work?.abort(new Error("paused"));
    this.#work = null;
    this.#isCovered = false;
    this.#list = null;
    this.#failure = null;
    this.#rang = false;
  }

  /** The same, and no hints are asked for any more. */
  stop(): void {
    this.pause();
    this.#subscription?.end();
    this.#subscription = null;
    this.#isLive = false;
    this.#stubs.clear();
  }

  /** A whole list is accepted, asked for in that turn; `restored`: it is of another history than what was known. */
  accepted(list: {
    readonly index: bigint;
    readonly bytes: number;
    readonly turn: number;
    readonly restored: boolean;
  }): void {
    const { index, bytes, turn, restored } = list;
    if (restored) {
      this.pause();
      this.#stubs.clear();
      this.#schedule.forget();
    }
    this.#dealtWith.resolve();
    this.#listed = index;
    this.#schedule.listed(bytes);
    if (restored) this.#seen = this.#known = index;
    this.#seen = higher(this.#seen, index);
    this.#stubs.forget(index);
    this.#isCovered = this.#isLive && turn === this.#turns;
  }

  /** What was read at that index contradicts what is known: the list says what is true. */
  doubt(reason: string, index?: bigint): void {
    this.#schedule.hurry(reason, index);
    this.#replan.abort();
  }

  /** The next that is read. Rejects with what keeps it from being read, and with the signal's reason. */
  async next(signal: AbortSignal): Promise<Arrival> {
    this.#begin();
    for (;;) {
      signal.throwIfAborted();
      const arrival = this.#takeArrival();
      if (arrival !== undefined) return arrival;
      this.#arrived = Promise.withResolvers();
      await abortable(this.#arrived.promise, signal);
    }
  }

  #takeArrival(): Arrival | undefined {
    if (this.#failure !== null) throw this.#failure;
    const work = this.#work as AbortController;
    if (this.#list !== null) {
      const list = this.#list;
      this.#list = null;
      return list;
    }
    const stubs = this.#stubs.take(work.signal);
    for (const stub of stubs) this.#known = higher(this.#known, stub.index);
    if (!this.#rang && stubs.length === 0) return undefined;
    this.#rang = false;
    this.#toldAtMs = this.#parts.clock.elapsed();
    return { kind: "stubs", stubs };
  }

  #begin(): void {
    if (this.#work !== null) return;
    this.#work = new AbortController();
    const { signal } = this.#work;
    for (const work of [this.#answerDoorbell(signal), this.#readLists(signal)]) {
      work.catch((error: unknown) => this.#fail(error, signal));
    }
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#failure = error;
    this.#arrived.resolve();
  }

  #onFrame({ index, hints }: HintFrame): void {
    const { scope } = this.#parts;
    for (const hint of hints) {
      if (hint.resource === scope.resource && hint.index > this.#listed) this.#add(hint);
    }
    if (hints.some(({ gone, resource }) => gone === true && resource !== scope.resource)) {
      // What goes with a job goes without an event. It may have had nothing of this resource.
      this.#purgedAt = index;
      this.#schedule.rumoured(index);
      this.#replan.abort();
    }
  }

  #add(hint: Hint): void {
    // While nothing is under way, it waits.
    this.#stubs.add(hint, this.#work?.signal ?? AbortSignal.abort());
    if (this.#stubs.kept > MOST_KEPT) this.#dropAll();
    const many = Math.max(MANY, this.#schedule.tookMs / STUB_MS);
    if (this.#stubs.behind > many) this.doubt("many objects changed at once");
  }

  /** A list that is asked for from now on holds all of it. */
  #dropAll(): void {
    this.#stubs.clear();
    this.#turns++;
    this.#isCovered = false;
    this.doubt("too much changed to keep it");
  }

  #onLive(): void {
    this.#turns++;
    this.#isLive = true;
    this.#come.abort();
  }

  #onGap(reason: string): void {
    this.#turns++;
    this.#isLive = false;
    this.#isCovered = false;
    this.doubt(reason);
  }

  #isExplained(index: bigint): boolean {
    return index !== this.#purgedAt && this.#subscription?.explains(index) === true;
  }

  /** An index of the table that no hint explains, so far. */
  #unexplained(index: bigint): void {
    if (index <= this.#listed) return;
    this.#schedule.unexplained(index);
    this.#replan.abort();
  }

  #failed(hint: Hint, error: unknown): void {
    if (error === undefined) this.#unexplained(hint.index);
    else this.doubt(`an object could not be read: ${publicReason(error)}`);
  }

  async #answerDoorbell(signal: AbortSignal): Promise<void> {
    const { clock, random, queryWait } = this.#parts;
    let endedEarly = 0;
    while (!signal.aborted) {
      const query = queryWait.next();
      try {
        const response = await this.#waitAtDoor(query.waitMs, signal);
        query.answered(response);
        this.#answered = { bytes: response.body.length, atMs: clock.elapsed() };
        this.#ring(BigInt(response.index), signal);
        endedEarly = 0;
        await clock.sleep(REST_MS, signal);
      } catch (error) {
        if (!query.endedEarly(error) || ++endedEarly > MOST_ENDED_EARLY) throw error;
        await clock.sleep(random() * SPREAD_MS, signal);
      }
    }
  }

  /** Answers with the table's index when it moved, or the wait is over. */
  #waitAtDoor(waitMs: number, signal: AbortSignal): Promise<ListResponse> {
    const { scope, nomad, consistency } = this.#parts;
    return nomad.list({ ...scope, perPage: 1, index: String(this.#seen), waitMs, consistency, signal });
  }

  #ring(index: bigint, signal: AbortSignal): void {
    if (index < this.#seen) this.doubt(`the index went back from ${this.#seen} to ${index}`);
    if (index > this.#seen) {
      this.#seen = index;
      this.#stubs.reached(index, signal);
      if (!this.#isExplained(index)) this.#unexplained(index);
    }
    if (this.#parts.clock.elapsed() - this.#toldAtMs < TOLD_EVERY_MS) return;
    this.#rang = true;
    this.#arrived.resolve();
  }

  async #readLists(signal: AbortSignal): Promise<void> {
    const { scope, hints, clock, onListDue } = this.#parts;
    for (;;) {
      await this.#untilListIsDue(signal);
      signal.throwIfAborted();
      const { cause, urgent } = this.#schedule;
      onListDue(cause, urgent);
      if (cause === "unexplained" && scope.namespace === "*") hints.renew();
      const settle = this.#schedule.asks();
      const [turn, floor] = [this.#turns, String(higher(this.#seen, this.#known))];
      const response = await this.#parts.readList(signal);
      // It may come whole though it was given up, and another in its place is newer.
      signal.throwIfAborted();
      settle(BigInt(response.index));
      const arrivedAtMs = clock.elapsed();
      const compared = await this.#parts.compare(response.body, signal);
      this.#list = { kind: "list", response, turn, floor, arrivedAtMs, compared };
      this.#dealtWith = Promise.withResolvers();
      this.#arrived.resolve();
      await abortable(this.#dealtWith.promise, signal);
    }
  }

  async #untilListIsDue(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      this.#schedule.explain((index) => this.#isExplained(index));
      const { dueInMs } = this.#schedule;
      if (dueInMs <= 0) return;
      this.#replan = new AbortController();
      await clock.sleep(dueInMs, AbortSignal.any([signal, this.#replan.signal]));
    }
  }
}

function higher(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
