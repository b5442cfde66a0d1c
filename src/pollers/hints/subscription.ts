import type { NomadApi } from "../../nomad/api.ts";
import { NomadError } from "../../nomad/errors.ts";
import type { Line } from "../../nomad/lines.ts";
import { publicReason } from "../../schemas/public-text.ts";
import { Backoff } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Scope } from "../../schemas/scope.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { Alarm } from "../../shared/alarm.ts";
import type { StreamListener } from "./audience.ts";
import { DoubtedRefusals } from "../doubted-refusals.ts";
import { RefusedRecheck } from "../refused-recheck.ts";
import { shortestRetryMs } from "../shortest-retry.ts";
import { Continuity } from "./continuity.ts";
import { coverageOf, isCovered, type Coverage } from "./coverage.ts";
import { parseFrame, type StreamFrame } from "./frame.ts";
import type { HintSourceState } from "./hint.ts";
import type { StreamReporter } from "./stream-reporter.ts";

export interface SubscriptionDeps {
  readonly nomad: NomadApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly reporter: StreamReporter;
  readonly maxBackoffMs: number;
  /** Is given every frame once, as Nomad wrote it. */
  readonly record: (line: Buffer) => void;
  readonly listener: StreamListener;
}

/** A server that has the last frame sends it at once, behind its first line. */
const PROOF_WITHIN_MS = 1_000;
/** How long a server may be behind the one before. */
const CATCHES_UP_WITHIN_MS = 5_000;
/** A break that is over sooner, with proof that nothing was lost, is told to nobody. */
const BREAK_TOLD_AFTER_MS = 5_000;
/** Wants come in numbers, at the start and with a namespace. */
const GATHER_WANTS_MS = 250;
/** A stream that held so long worked. */
const WORKED_AFTER_MS = 10_000;

/**
 * One stream, subscribed to again and again: it follows what is wanted of it, and finds out whether something was lost
 * in between.
 */
export class Subscription {
  readonly #deps: SubscriptionDeps;
  readonly #namespace: string;
  readonly #scopes: () => readonly Scope[];
  readonly #backoff: Backoff;
  readonly #continuity = new Continuity();
  #state: HintSourceState = { kind: "connecting" };
  /** What the stream that is open was asked for; undefined while none is. */
  #covered: Coverage | undefined;
  /** Whether the listener takes the stream for live. */
  #isTold = false;
  /** Whether it did when the last stream ended, and nothing proves yet that nothing was lost in between. */
  #isUnproven = false;
  #stop = new AbortController();
  readonly #refusals: DoubtedRefusals;
  readonly #recheck = new RefusedRecheck();
  #wasOpen = false;
  #isBehind = false;
  readonly #untilTold: Alarm;
  readonly #untilProven: Alarm;
  readonly #untilRenewed: Alarm;

  /** `scopes`: those that it is followed for; call `demandChanged` when they are others. */
  constructor(deps: SubscriptionDeps, namespace: string, scopes: () => readonly Scope[]) {
    this.#deps = deps;
    this.#namespace = namespace;
    this.#scopes = scopes;
    this.#backoff = new Backoff({ baseMs: 250, maxMs: deps.maxBackoffMs, random: deps.random });
    this.#refusals = new DoubtedRefusals(deps.clock);
    this.#untilTold = new Alarm(deps.clock);
    this.#untilProven = new Alarm(deps.clock);
    this.#untilRenewed = new Alarm(deps.clock);
  }

  get state(): HintSourceState {
    return this.#state;
  }

  /** Follows the stream until the signal aborts, or Nomad refuses it for good: resolves with the refusal then. */
  async run(signal: AbortSignal): Promise<NomadError | undefined> {
    while (!signal.aborted) {
      const failure = await this.#follow(signal);
      if (failure === undefined) continue;
      if (failure.retryable) this.#refusals.reset();
      const isDoubted = failure.retryable || (this.#wasOpen && this.#refusals.doubts());
      if (!isDoubted) return this.#refused(failure);
      const retryInMs = this.#backoff.next(shortestRetryMs(failure));
      this.#away(failure, retryInMs);
      await this.#deps.clock.sleep(retryInMs, signal);
    }
    this.#untilTold.cancel();
    this.#tellGap("the event stream is followed in another way");
    return undefined;
  }

  /** It is refused, and tried again only later: in so many ms. */
  unavailable(refusal: NomadError): number {
    const retryInMs = this.#recheck.next();
    this.#wasOpen = false;
    this.#refusals.reset();
    this.#tellAway(refusal, retryInMs, "unavailable");
    return retryInMs;
  }

  /** What the open stream was not asked for makes it be begun anew. */
  demandChanged(): void {
    this.#leaveUnwanted();
    const covered = this.#covered;
    if (covered !== undefined && !this.#scopes().every((scope) => isCovered(scope, covered))) this.renew();
  }

  /** A namespace that nobody wants any more may be deleted; another one of its name is not in the open stream. */
  #leaveUnwanted(): void {
    if (this.#covered === undefined) return;
    const { topics, namespaces } = this.#covered;
    const wanted = coverageOf(this.#scopes()).namespaces;
    const left = [...namespaces].filter((namespace) => wanted.has(namespace));
    if (left.length === namespaces.size) return;
    this.#covered = { topics, namespaces: new Set(left) };
    this.#deps.listener.onLive(this.#namespace, this.#covered);
  }

  /** Namespaces may have been added: "*" are those there were when the stream began. */
  renew(): void {
    if (!this.#untilRenewed.isSet) this.#untilRenewed.set(GATHER_WANTS_MS, () => this.#stop.abort());
  }

  #refused(refusal: NomadError): NomadError {
    this.#untilTold.cancel();
    this.#tellGap(refusal.message);
    return refusal;
  }

  /** Resolves with what the stream ended with; undefined where it was ended from here. */
  async #follow(signal: AbortSignal): Promise<NomadError | undefined> {
    this.#stop = new AbortController();
    const beganMs = this.#deps.clock.elapsed();
    try {
      await this.#listen(AbortSignal.any([signal, this.#stop.signal]));
      return undefined;
    } catch (failure) {
      if (signal.aborted || this.#stop.signal.aborted) return undefined;
      if (failure instanceof NomadError) return failure;
      throw failure;
    } finally {
      this.#closed();
      if (this.#deps.clock.elapsed() - beganMs >= WORKED_AFTER_MS) this.#backoff.reset();
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const covered = coverageOf(this.#scopes());
    const index = this.#continuity.resumeFrom;
    this.#continuity.resubscribed();
    await using stream = await this.#deps.nomad.events({
      topics: [...covered.topics],
      namespace: this.#namespace,
      ...(index !== undefined && { index }),
      signal,
    });
    this.#opened(covered, stream.address, index !== undefined);
    for await (const line of stream.lines()) this.#hear(line);
  }

  #opened(covered: Coverage, address: string, isResumed: boolean): void {
    if (this.#wasOpen) this.#deps.metrics.hintReconnects.inc();
    this.#wasOpen = true;
    this.#refusals.reset();
    this.#recheck.reset();
    this.#isBehind = false;
    this.#covered = covered;
    this.#untilTold.cancel();
    this.#isUnproven = this.#isTold;
    if (isResumed) this.#expectProof(PROOF_WITHIN_MS, "the last frame heard did not come again");
    // Nothing is known to be lost, and there is no frame to prove it by.
    else if (this.#isUnproven) this.#tellGap("the stream before broke off before its first frame");
    this.#tellLive();
    this.#enter({ kind: "live" });
    this.#deps.reporter.live(this.#namespace, address);
  }

  #closed(): void {
    this.#covered = undefined;
    this.#untilProven.cancel();
    this.#untilRenewed.cancel();
  }

  #tellLive(): void {
    if (this.#covered === undefined) return;
    this.#isTold = true;
    this.#deps.listener.onLive(this.#namespace, this.#covered);
    this.demandChanged();
  }

  #tellGap(reason: string): void {
    this.#isUnproven = false;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#deps.listener.onGap(this.#namespace, reason);
  }

  #expectProof(withinMs: number, reason: string): void {
    this.#untilProven.set(withinMs, () => {
      this.#continuity.forget();
      this.#lose(reason);
    });
  }

  /** The stream broke off. */
  #away(failure: NomadError, retryInMs: number): void {
    const tell = () => this.#tellAway(failure, retryInMs, "connecting");
    if (this.#state.kind !== "live") tell();
    else if (!this.#untilTold.isSet) this.#untilTold.set(BREAK_TOLD_AFTER_MS, tell);
  }

  #tellAway(failure: NomadError, retryInMs: number, kind: "connecting" | "unavailable"): void {
    this.#untilTold.cancel();
    this.#enter({ kind, reason: publicReason(failure) });
    this.#deps.reporter.away(this.#namespace, failure, retryInMs);
    this.#tellGap(failure.message);
  }

  #enter(state: HintSourceState): void {
    this.#state = state;
    this.#deps.metrics.hintStreamLive.set({ namespace: this.#namespace }, state.kind === "live" ? 1 : 0);
  }

  #hear(line: Line): void {
    this.#deps.metrics.hintFrames.inc();
    const frame = Buffer.isBuffer(line) ? parseFrame(line) : undefined;
    if (frame !== undefined) this.#take(frame, line as Buffer);
    else if (Buffer.isBuffer(line)) this.#miss("a frame could not be read");
    else this.#miss(`a frame of ${line.bytes} bytes was left out`);
  }

  #take(frame: StreamFrame, line: Buffer): void {
    const verdict = this.#continuity.check(frame);
    if (verdict === "behind" && this.#isUnproven) {
      this.#fallBehind();
      return;
    }
    this.#untilProven.cancel();
    if (verdict === "lost") this.#lose(`the server goes on from index ${frame.index}`);
    if (verdict === "restarted") this.#miss(`the index went back to ${frame.index}`);
    this.#isUnproven = false;
    if (verdict !== "repeated") this.#tell(frame, line);
  }

  /** What comes was heard of another server, up to where that one was. */
  #fallBehind(): void {
    if (this.#isBehind) return;
    this.#isBehind = true;
    this.#expectProof(CATCHES_UP_WITHIN_MS, "the server stayed behind the one before");
  }

  #tell(frame: StreamFrame, line: Buffer): void {
    this.#deps.record(line);
    this.#deps.listener.onEntry(this.#namespace, frame);
  }

  /** Something may have been missed between the last stream and this one. */
  #lose(reason: string): void {
    if (this.#isUnproven) this.#miss(reason);
  }

  #miss(reason: string): void {
    this.#deps.metrics.hintLosses.inc();
    this.#deps.reporter.lost(this.#namespace, reason);
    this.#tellGap(reason);
    this.#tellLive();
  }
}
