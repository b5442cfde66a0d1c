import type { Frame, Narrowed, NomadsFrame } from "../../feed/frames/frame-log.ts";
import type { NomadApi } from "../../nomad/api.ts";
import { NomadError } from "../../nomad/errors.ts";
import type { Line } from "../../nomad/lines.ts";
import { Alarm } from "../../shared/alarm.ts";
import { Backoff } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { DoubtedRefusals } from "../doubted-refusals.ts";
import { RefusedRecheck } from "../refused-recheck.ts";
import { shortestRetryMs } from "../shortest-retry.ts";
import { TOPICS } from "./topics.ts";
import { headOf } from "./frame-head.ts";
import { TapContinuity } from "./tap-continuity.ts";

/** Where frames are kept. See FrameLog. */
interface FrameSink {
  append(frames: readonly Frame[], gapAfter: number | undefined, narrowed: Narrowed | undefined): void;
  /** What `append` was last told, also by a process before. */
  readonly narrowed: Narrowed | undefined;
  /** The newest ones, oldest first. */
  newestFrames(most: number): readonly NomadsFrame[];
}

export interface FrameTapDeps {
  readonly nomad: Pick<NomadApi, "events">;
  readonly log: FrameSink;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "framesRecorded" | "frameGaps" | "frameTapLive">;
}

const ALL = "*";
/** A server that has the last frame sends it at once, behind its first line. */
const PROOF_WITHIN_MS = 1_000;
/** How long a server may be behind the one before. */
const CATCHES_UP_WITHIN_MS = 5_000;
const MAX_BACKOFF_MS = 30_000;
/** A stream that held so long worked. */
const WORKED_AFTER_MS = 10_000;
/** Nomad's own buffer rarely has more. */
const MAX_REPEATED = 200;
/** What one transaction takes. */
const MAX_TOGETHER = 1000;

const DENIED: ReadonlySet<string> = new Set(["NOMAD_STREAM_DENIED", "NOMAD_FORBIDDEN"]);

/**
 * Follows Nomad's event stream of all namespaces, and records its frames word for word, each once. It asks for all
 * topics, or, where the token may not hear all, for each one that it may. Whether something was lost between two
 * subscriptions is known (see TapContinuity), and recorded.
 */
export class FrameTap {
  readonly #deps: FrameTapDeps;
  readonly #backoff: Backoff;
  readonly #proof: Alarm;
  #continuity = new TapContinuity();
  /** Topics that are recorded, also while Nomad is away; none where it refuses. */
  #topics: ReadonlySet<string> = new Set();
  /** Undefined where all topics were recorded last. */
  #narrowed: Narrowed | undefined;
  readonly #settled = Promise.withResolvers<void>();
  /** Topics to ask for. */
  #wanted: readonly string[] = [ALL];
  #waiting: Frame[] = [];
  /** Behind this index frames may be missing, before the next that is recorded. */
  #gapAfter: number | undefined;
  /** When all topics are asked for again, where only some may be heard. */
  #askForAllAtMs = 0;
  readonly #recheckAll = new RefusedRecheck();
  /** Where none may be heard. */
  readonly #recheck = new RefusedRecheck();
  #failure: unknown;
  #stop = new AbortController();
  #isOpen = false;
  #isRenewed = false;
  readonly #refusals: DoubtedRefusals;
  #isBehind = false;

  constructor(deps: FrameTapDeps) {
    this.#deps = deps;
    this.#backoff = new Backoff({ baseMs: 250, maxMs: MAX_BACKOFF_MS, random: deps.random });
    this.#proof = new Alarm(deps.clock);
    this.#refusals = new DoubtedRefusals(deps.clock);
    this.#narrowed = deps.log.narrowed;
  }

  /** Resolves when it is known what can be recorded. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Whether a subscription is open. */
  get isRecording(): boolean {
    return this.#isOpen;
  }

  /** Whether everything of these topics is being recorded. */
  covers(topics: Iterable<string>): boolean {
    return (
      this.#topics.size > 0 && [...topics].every((topic) => this.#topics.has(topic) || this.#topics.has(ALL))
    );
  }

  /** There may be namespaces that were not there when the stream began: it is begun anew, without a gap. */
  renew(): void {
    if (!this.#isOpen) return;
    this.#isRenewed = true;
    this.#stop.abort(new Error("the stream is begun anew"));
  }

  /** Records until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failure = await this.#follow(signal);
      if (failure === undefined) continue;
      const retryInMs = await this.#retryIn(failure, signal);
      await this.#deps.clock.sleep(retryInMs, signal);
    }
  }

  /** Resolves with what the stream ended with; undefined where it was ended from here. */
  async #follow(signal: AbortSignal): Promise<unknown> {
    this.#stop = new AbortController();
    const beganMs = this.#deps.clock.elapsed();
    try {
      await this.#listen(AbortSignal.any([signal, this.#stop.signal]));
      return undefined;
    } catch (failure) {
      return signal.aborted || this.#isRenewed ? undefined : (this.#failure ?? failure);
    } finally {
      this.#closed();
      if (this.#deps.clock.elapsed() - beganMs >= WORKED_AFTER_MS) this.#backoff.reset();
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const { nomad, log, metrics, logger } = this.#deps;
    this.#continuity = continuityAfter(log.newestFrames(MAX_REPEATED));
    const index = this.#continuity.resumeFrom;
    if (this.#narrowed !== undefined && this.#lacks(this.#wanted))
      this.#continuity.missed(this.#narrowed.after);
    if (this.#gapAfter !== undefined) this.#continuity.missed(this.#gapAfter);
    this.#continuity.resubscribed();
    await using stream = await nomad.events({
      topics: this.#wanted,
      namespace: ALL,
      ...(index !== undefined && { index }),
      signal,
    });
    this.#hears(this.#wanted);
    this.#isOpen = true;
    this.#refusals.reset();
    this.#isBehind = false;
    this.#settled.resolve();
    metrics.frameTapLive.set(1);
    logger.info({ address: stream.address, topics: this.#wanted, index }, "recording Nomad's event stream");
    if (index !== undefined) this.#expectProof(PROOF_WITHIN_MS, "the last frame did not come again");
    const end = new AbortController();
    const looking = this.#hearsAll
      ? undefined
      : this.#untilAllMayBeHeard(AbortSignal.any([signal, end.signal]));
    try {
      for await (const line of stream.lines()) this.#hear(line);
    } finally {
      end.abort(new Error("the stream ended"));
      await looking;
    }
  }

  get #hearsAll(): boolean {
    return this.#topics.has(ALL);
  }

  /** Whether there are topics among these that were not recorded last. */
  #lacks(topics: readonly string[]): boolean {
    const narrowed = this.#narrowed;
    return narrowed !== undefined && topics.some((topic) => !narrowed.topics.includes(topic));
  }

  /** What was recorded of fewer topics has none of the others' frames. */
  #hears(topics: readonly string[]): void {
    const after = this.#narrowed?.after ?? this.#continuity.lastIndex ?? 0;
    if (this.#lacks(topics)) this.#lose("not all topics could be recorded for a while", after);
    this.#topics = new Set(topics);
    this.#recheck.reset();
    if (this.#hearsAll) this.#recheckAll.reset();
    this.#narrowed = this.#hearsAll ? undefined : { topics, after };
  }

  /** While only some topics may be heard; begins anew with all of them, or more, once that is allowed. */
  async #untilAllMayBeHeard(signal: AbortSignal): Promise<void> {
    const { clock, nomad } = this.#deps;
    for (;;) {
      await clock.sleep(this.#askForAllAtMs - clock.elapsed(), signal);
      if (signal.aborted) return;
      const stream = await nomad.events({ topics: [ALL], namespace: ALL, signal }).catch(() => undefined);
      await stream?.[Symbol.asyncDispose]();
      this.#askForAllAtMs = clock.elapsed() + this.#recheckAll.next();
      const allowed = stream === undefined ? await this.#allowedTopics(signal) : [ALL];
      if (signal.aborted) return;
      if (!this.#lacks(allowed)) continue;
      // One that could not be asked for just now is heard all the same.
      this.#wanted = stream === undefined ? [...new Set([...this.#topics, ...allowed])] : [ALL];
      this.renew();
      return;
    }
  }

  #closed(): void {
    this.#proof.cancel();
    try {
      this.#flush();
    } catch {
      // What waited comes again: the log says what it has.
    }
    this.#waiting = [];
    this.#isOpen = false;
    this.#isRenewed = false;
    this.#failure = undefined;
    this.#deps.metrics.frameTapLive.set(0);
  }

  #hear(line: Line): void {
    const frame = Buffer.isBuffer(line) ? headOf(line) : undefined;
    if (frame === undefined) {
      this.#lose(
        Buffer.isBuffer(line) ? "a frame could not be read" : `a frame of ${line.bytes} bytes was left out`,
      );
      return;
    }
    const verdict = this.#continuity.check(frame);
    if (verdict === "behind") {
      if (!this.#isBehind) this.#expectProof(CATCHES_UP_WITHIN_MS, "the server stayed behind the one before");
      this.#isBehind = true;
      return;
    }
    this.#proof.cancel();
    if (verdict === "lost") this.#lose(`the server goes on from index ${frame.index}`);
    if (verdict === "late")
      this.#lose(`a frame of a new namespace came late, at index ${frame.index}`, Number(frame.index) - 1);
    if (verdict === "repeated" || verdict === "late") return;
    this.#continuity.note(frame);
    this.#record({ index: Number(frame.index), line: line as Buffer });
  }

  #expectProof(withinMs: number, reason: string): void {
    this.#proof.set(withinMs, () => {
      this.#continuity.giveUp();
      this.#lose(reason);
    });
  }

  /** `after`: index of the last frame before those that are missing. */
  #lose(reason: string, after = this.#continuity.lastIndex): void {
    const { metrics, logger } = this.#deps;
    metrics.frameGaps.inc();
    logger.warn(
      { reason },
      "frames of Nomad's event stream may be missing from the record: Nomad keeps few, and only in memory",
    );
    this.#flush();
    if (after !== undefined) this.#gapAfter = Math.min(after, this.#gapAfter ?? after);
  }

  #record(frame: Frame): void {
    // Of a history that begins anew, as after a restore, nothing else is there.
    if (this.#narrowed !== undefined && frame.index < this.#narrowed.after)
      this.#narrowed = { ...this.#narrowed, after: 0 };
    this.#waiting.push(frame);
    if (this.#waiting.length >= MAX_TOGETHER) this.#flush();
    else if (this.#waiting.length === 1) setImmediate(() => this.#flushOrStop());
  }

  #flushOrStop(): void {
    try {
      this.#flush();
    } catch (error) {
      this.#failure = error;
      this.#stop.abort(error);
    }
  }

  #flush(): void {
    const frames = this.#waiting;
    if (frames.length === 0) return;
    this.#waiting = [];
    this.#deps.log.append(frames, this.#gapAfter, this.#narrowed);
    this.#gapAfter = undefined;
    this.#deps.metrics.framesRecorded.inc(frames.length);
  }

  async #retryIn(failure: unknown, signal: AbortSignal): Promise<number> {
    const { logger } = this.#deps;
    const isDenied = failure instanceof NomadError && DENIED.has(failure.code);
    if (!isDenied) this.#refusals.reset();
    if (isDenied && this.#topics.size > 0 && this.#refusals.doubts())
      return this.#backoff.next(shortestRetryMs(failure));
    if (isDenied && this.#topics.size > 0 && !this.#wanted.includes(ALL)) {
      // These may not be heard any more; which ones may is found out where all are refused.
      this.#wanted = [ALL];
      return this.#backoff.next(shortestRetryMs(failure));
    }
    if (isDenied && this.#wanted.includes(ALL)) {
      const allowed = await this.#allowedTopics(signal);
      if (allowed.length > 0) {
        this.#wanted = allowed;
        this.#askForAllAtMs = this.#deps.clock.elapsed() + this.#recheckAll.next();
        logger.warn(
          { topics: allowed, hint: "A management token records all topics" },
          "the token may not hear all topics of Nomad's event stream; who asks for others is answered by Nomad",
        );
        return 0;
      }
    }
    if (isDenied) {
      this.#wanted = [ALL];
      this.#topics = new Set();
      this.#settled.resolve();
    }
    const retryInMs = isDenied
      ? this.#recheck.next()
      : this.#backoff.next(failure instanceof NomadError ? shortestRetryMs(failure) : undefined);
    logger.warn({ err: failure, retryInMs }, "Nomad's event stream is not being recorded");
    return retryInMs;
  }

  async #allowedTopics(signal: AbortSignal): Promise<string[]> {
    const allowed: string[] = [];
    for (const topic of TOPICS) {
      const stream = await this.#deps.nomad
        .events({ topics: [topic], namespace: ALL, signal })
        .catch(() => undefined);
      await stream?.[Symbol.asyncDispose]();
      if (stream !== undefined) allowed.push(topic);
    }
    return allowed;
  }
}

function continuityAfter(newest: readonly NomadsFrame[]): TapContinuity {
  const continuity = new TapContinuity();
  for (const { line, gapAfter } of newest) {
    if (gapAfter !== undefined) continuity.missed(gapAfter);
    const head = headOf(line);
    if (head !== undefined) continuity.note(head);
  }
  return continuity;
}
