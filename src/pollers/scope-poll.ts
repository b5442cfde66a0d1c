import { NomadError } from "../nomad/errors.ts";
import type { Consistency, ListRequest, ListResponse } from "../nomad/api.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import type { JsonObject } from "../schemas/json.ts";
import { RESOURCES, type ObjectRef } from "../schemas/resources.ts";
import type { Scope } from "../schemas/scope.ts";
import { MalformedList } from "../snapshots/errors.ts";
import { compareLists } from "../snapshots/snapshot.ts";
import type { Logger } from "../telemetry/logger.ts";
import { Flapping } from "./flapping.ts";
import { isHinted } from "./hints/explained.ts";
import { HintedReading, type ListArrival } from "./hints/hinted-reading.ts";
import { examineStubs } from "./observe-stubs.ts";
import { inSlices } from "./in-slices.ts";
import { examine, listOf, origin, type ExamineInput, type Known, type Observation } from "./observe.ts";
import { OddNumbers } from "./odd-numbers.ts";
import { Pacer } from "./pacer.ts";
import type { PollerDeps, PollerOptions } from "./poller.ts";
import type { Interruption } from "./scope-machine.ts";

/** A list of so many bytes is dearer than to follow hints; read so, below half of it no more. */
const HINTED_FROM_BYTES = 64 * 1024;
const HINTED_DOWN_TO = HINTED_FROM_BYTES / 2;
/** So long the first list of a large scope waits for hints, which need a list that is asked for after they come. */
const HINTS_COME_WITHIN_MS = 1_000;
/** A list is read so long after the last write that no hint explains. */
const QUIET_MS = 5_000;
/** So many queries in a row may end early: it takes two to learn how long one may wait. */
const MOST_ENDED_EARLY = 2;

export type PollResult =
  | { readonly kind: "polled"; readonly observation: Observation }
  | { readonly kind: "interrupted"; readonly why: Interruption }
  /** `endedEarly`: by something between, while Nomad had nothing to say. */
  | { readonly kind: "failed"; readonly error: ChangefeedError; readonly endedEarly: boolean };

/** A list, and in which turn of hints it was asked for. */
type ListRead = Pick<ListArrival, "response" | "turn"> &
  Pick<ExamineInput, "floor" | "arrivedAtMs" | "compared">;

export interface ScopePollParts {
  readonly scope: Scope;
  readonly deps: PollerDeps;
  readonly options: PollerOptions;
  readonly logger: Logger;
  /** Called whenever a poll gets on, for the watchdog. */
  readonly onMove: () => void;
}

/** Polls one scope: one query at a time, which may be interrupted from outside. */
export class ScopePoll {
  readonly #parts: ScopePollParts;
  readonly #pacer: Pacer;
  readonly #flapping: Flapping;
  readonly #oddNumbers: OddNumbers;
  /** Null where no event of Nomad's stream tells of the resource, or none is to be heard. */
  readonly #hinted: HintedReading | null;
  /** Size of the last list. */
  #likelyBytes = 0;
  /** What the last poll by hints began with. */
  #known: Known | null = null;
  /** How many in a row were ended by something between. */
  #endedEarly = 0;
  #interruptions: Interruption[] = [];
  #interrupt = new AbortController();

  constructor(parts: ScopePollParts) {
    const { deps, options, logger } = parts;
    this.#parts = parts;
    this.#pacer = new Pacer(deps.clock, options.pace);
    this.#flapping = new Flapping(deps.clock, logger);
    this.#oddNumbers = new OddNumbers(logger);
    this.#hinted = this.#hintedReading();
  }

  get reading(): "lists" | "hinted" {
    return this.#hinted?.active === true ? "hinted" : "lists";
  }

  /** Reads nothing more until the next poll, which then reads the whole list. */
  pause(): void {
    this.#hinted?.pause();
  }

  /** Ends what is under way between polls. */
  end(): void {
    this.#hinted?.stop();
  }

  #hintedReading(): HintedReading | null {
    const { scope, deps, options, logger } = this.#parts;
    const { hints } = deps;
    if (hints === null || options.reading === "lists" || !isHinted(scope.resource)) return null;
    return new HintedReading({
      ...deps,
      scope,
      hints,
      consistency: options.consistency,
      schedule: { quietMs: QUIET_MS, fullEveryMs: options.fullEveryMs },
      onListDue: (cause, doubt) => {
        deps.metrics.fullLists.inc({ resource: scope.resource, cause });
        logger.debug({ cause, ...(doubt !== null && { doubt }) }, "reading the whole list");
      },
      // What was written before hints came must not be missing in a list of a server that lags behind.
      readList: (signal) =>
        this.#askAtOnce(
          { ...scope, likelyBytes: this.#likelyBytes, unhurried: true, signal },
          this.#hinted?.active === true ? options.consistency : "default",
        ),
      known: (ref) => this.#knownStub(ref),
      compare: (body, signal) => {
        const steps = compareLists((this.#known as Known).last.snapshot, body, origin(scope));
        return inSlices(steps, { clock: deps.clock, onMove: this.#parts.onMove, signal });
      },
    });
  }

  #knownStub(ref: ObjectRef): JsonObject | undefined {
    try {
      return this.#known?.last.snapshot.get(ref)?.value;
    } catch (error) {
      // Where its text is broken, it is read anew.
      if (error instanceof MalformedList) return undefined;
      throw error;
    }
  }

  /** Ends the poll in flight, or the next one. */
  interrupt(why: Interruption): void {
    if (!this.#interruptions.includes(why)) this.#interruptions.push(why);
    this.#interrupt.abort();
  }

  /** Answers whether an interruption was pending, in whose place another one is now. */
  replace(pending: Interruption, why: Interruption): boolean {
    if (!this.#interruptions.includes(pending)) return false;
    this.#interruptions = this.#interruptions.map((each) => (each === pending ? why : each));
    return true;
  }

  /** Resolves when the next poll may begin. */
  ready(signal: AbortSignal): Promise<void> {
    return this.#pacer.ready(signal);
  }

  /**
   * Reads the list, at once or when something changes (`hold`), and answers what to make of it. Rejects with the
   * signal's reason, and with defects.
   */
  async run(known: Known, hold: boolean, signal: AbortSignal): Promise<PollResult> {
    try {
      const result = await this.#poll(known, hold, AbortSignal.any([signal, this.#interrupt.signal]));
      this.#endedEarly = result.kind === "failed" ? this.#endedEarly + 1 : 0;
      return result;
    } catch (error) {
      // What was taken of hints may be lost with it.
      this.pause();
      signal.throwIfAborted();
      if (this.#interrupt.signal.aborted) return { kind: "interrupted", why: this.#takeInterruption() };
      if (error instanceof ChangefeedError) return { kind: "failed", error, endedEarly: false };
      throw error;
    }
  }

  async #poll(known: Known, hold: boolean, signal: AbortSignal): Promise<PollResult> {
    if (hold && this.#hinted?.active === true) return this.#nextHinted(this.#hinted, known, signal);
    this.#hinted?.pause();
    await this.#wantHints(known, signal);
    const turn = this.#hinted?.turn ?? 0;
    // Where hints came meanwhile, only a list that is asked for now makes them of use.
    const held = hold && this.#hinted?.needsList !== true;
    const response = await this.#ask(known, held, signal);
    if (response instanceof NomadError) return { kind: "failed", error: response, endedEarly: true };
    return this.#examine(known, { response, turn }, signal);
  }

  async #examine(
    known: Known,
    { response, turn, ...read }: ListRead,
    signal: AbortSignal,
  ): Promise<PollResult> {
    const { scope, deps, onMove } = this.#parts;
    const found = await examine(deps.nomad, deps.clock, { scope, known, signal, onMove, ...read }, response);
    this.#pacer.spend(found.bytes);
    this.#likelyBytes = found.bytes;
    this.#oddNumbers.say(found.nonNumbers);
    const { snapshot } = known.last;
    const observation = await this.#flapping.sift(found, snapshot, { onMove, signal });
    this.#decideReading(observation, turn);
    return { kind: "polled", observation };
  }

  /** What hints led to, or the list that became due. */
  async #nextHinted(hinted: HintedReading, known: Known, signal: AbortSignal): Promise<PollResult> {
    const { scope, deps, onMove } = this.#parts;
    this.#known = known;
    const arrival = await hinted.next(signal);
    if (arrival.kind === "list") return this.#examine(known, arrival, signal);
    const { observation, doubt } = await examineStubs(
      deps.nomad,
      deps.clock,
      { scope, known, signal, onMove },
      arrival.stubs,
    );
    if (doubt !== null) hinted.doubt(doubt, BigInt(observation.index));
    return { kind: "polled", observation };
  }

  /** What is known to be large when it is claimed is followed by hints before it is read: one list is then enough. */
  async #wantHints({ last }: Known, signal: AbortSignal): Promise<void> {
    const hinted = this.#hinted;
    if (hinted === null || hinted.wanted || !this.#isDear(last.snapshot.byteLength)) return;
    hinted.want();
    await hinted.comes(HINTS_COME_WITHIN_MS, signal);
  }

  #isDear(bytes: number): boolean {
    if (this.#parts.options.reading === "hinted") return true;
    if (this.#hinted?.savesNothing(bytes) === true) return false;
    return bytes >= (this.#hinted?.wanted === true ? HINTED_DOWN_TO : HINTED_FROM_BYTES);
  }

  /** A list says whether reading lists is cheap enough. */
  #decideReading({ index, bytes, restored }: Observation, turn: number): void {
    if (this.#hinted === null) return;
    const isDear = this.#isDear(bytes);
    if (!isDear && this.#hinted.wanted)
      this.#parts.logger.debug({ bytes }, "reading lists: hints would cost as much");
    if (isDear) this.#hinted.want();
    else this.#hinted.stop();
    this.#hinted.accepted({ index: BigInt(index), bytes, turn, restored: restored !== null });
  }

  /** The list; or why a query that was held ended early, which says nothing of Nomad. */
  async #ask(known: Known, hold: boolean, signal: AbortSignal): Promise<ListResponse | NomadError> {
    const { scope, deps, options } = this.#parts;
    const { snapshot, index } = known.last;
    const list = listOf(scope, snapshot, signal);
    if (RESOURCES[scope.resource].polled === true) {
      if (hold) await deps.clock.sleep(options.pollEveryMs, signal);
      signal.throwIfAborted();
      return deps.nomad.list(list);
    }
    // What a claim begins with must not lag behind the state it is held to.
    if (!hold || index === null) return this.#askAtOnce(list, hold ? options.consistency : "default");
    const query = deps.queryWait.next();
    const { waitMs } = query;
    try {
      const response = await deps.nomad.list({ ...list, index, waitMs, consistency: options.consistency });
      query.answered(response);
      return response;
    } catch (error) {
      const endedEarly = query.endedEarly(error);
      if (!(error instanceof NomadError)) throw error;
      // Where one after another ends so, it is no longer a matter of waiting.
      return endedEarly && this.#endedEarly < MOST_ENDED_EARLY ? error : this.#orFromLeader(error, list);
    }
  }

  #askAtOnce(list: ListRequest, consistency: Consistency): Promise<ListResponse> {
    const { nomad } = this.#parts.deps;
    return nomad.list({ ...list, consistency }).catch((error: unknown) => this.#orFromLeader(error, list));
  }

  /** A server out of touch has nothing to say; the leader has, or another address. */
  #orFromLeader(error: unknown, list: ListRequest): Promise<ListResponse> {
    if (!(error instanceof NomadError) || error.code !== "NOMAD_STALE_RESPONSE") throw error;
    return this.#parts.deps.nomad.list({ ...list, consistency: "default" });
  }

  #takeInterruption(): Interruption {
    const why = this.#interruptions.shift() ?? "begin-anew";
    if (this.#interruptions.length === 0) this.#interrupt = new AbortController();
    return why;
  }
}
