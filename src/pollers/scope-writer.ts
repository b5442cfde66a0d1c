import { publicReason } from "../schemas/public-text.ts";
import { LogFull, LogUnavailable } from "../feed/errors.ts";
import type { Checkpoint, Claim, Commit, Committed, ScopeNotes } from "../feed/log.ts";
import { Backoff } from "../shared/backoff.ts";
import { chunk, type Chunk, type CommitUnit } from "./chunks.ts";
import type { PollerDeps } from "./poller.ts";

type ScopeWriterDeps = Pick<PollerDeps, "log" | "metrics" | "clock" | "random" | "outages" | "backlog">;

/**
 * Writes one claimed scope. Keeps asking while the log has no room or cannot be reached, always with the same
 * commit id, so that a commit whose answer was lost is not written twice. Rejects with Fenced or Conflict when
 * the claim is no longer ours, and with the signal's reason when it aborts: nothing in memory is then to be
 * trusted beyond the commits that were answered.
 */
export class ScopeWriter {
  readonly #claim: Claim;
  readonly #deps: ScopeWriterDeps;
  readonly #onMove: () => void;
  #rev: number;
  #paused: string | null = null;

  constructor(claim: Claim, deps: ScopeWriterDeps, onMove: () => void) {
    this.#claim = claim;
    this.#deps = deps;
    this.#onMove = onMove;
    this.#rev = claim.rev;
  }

  /** Why the log takes nothing at the moment; null while it does. */
  get paused(): string | null {
    return this.#paused;
  }

  /** Commits of the scope so far: names control events uniquely. */
  get rev(): number {
    return this.#rev;
  }

  /**
   * Writes the units in order, in chunks; the checkpoint moves with the last, which also leaves `notes`. Until
   * then `notesMeanwhile` holds, so that who comes after a crash knows. Answers the events written.
   */
  async write(
    units: Iterable<CommitUnit>,
    end: { checkpoint?: Checkpoint; notes?: ScopeNotes; notesMeanwhile?: ScopeNotes },
    signal: AbortSignal,
  ): Promise<number> {
    let written = 0;
    for (const part of chunk(units)) {
      const notes = part.last ? end.notes : end.notesMeanwhile;
      await this.#commit(
        part,
        { ...(part.last ? end : {}), ...(notes === undefined ? {} : { notes }) },
        signal,
      );
      written += part.events.length;
      await this.#deps.clock.yield();
    }
    return written;
  }

  async #commit(
    part: Chunk,
    end: { checkpoint?: Checkpoint; notes?: ScopeNotes },
    signal: AbortSignal,
  ): Promise<void> {
    const { scope, fence } = this.#claim;
    const commit: Commit = {
      scope,
      fence,
      expectedRev: this.#rev,
      commitId: `${fence}.${this.#rev}`,
      events: part.events,
      state: part.state,
      ...(end.checkpoint === undefined ? {} : { checkpoint: end.checkpoint }),
      ...(end.notes === undefined ? {} : { notes: end.notes }),
      ...(part.knownEmptyScopes.length > 0 ? { knownEmptyScopes: part.knownEmptyScopes } : {}),
    };
    const committed = await this.#deps.backlog.whileCommitting(part.bytes, () =>
      this.#untilWritten(commit, signal),
    );
    this.#rev = committed.rev;
    for (const event of part.events) this.#deps.metrics.events.inc({ type: event.type });
    if (committed.last > 0) this.#deps.metrics.logSequence.set(committed.last);
  }

  async #untilWritten(commit: Commit, signal: AbortSignal): Promise<Committed> {
    const { log, metrics, clock, random, outages } = this.#deps;
    const backoff = new Backoff({ baseMs: 200, maxMs: 10_000, random });
    for (;;) {
      signal.throwIfAborted();
      this.#onMove();
      try {
        const end = metrics.commitSeconds.startTimer();
        const committed = await log.commit(commit);
        end();
        if (this.#paused !== null) outages.recovered(commit.scope);
        this.#paused = null;
        return committed;
      } catch (error) {
        if (!(error instanceof LogFull || error instanceof LogUnavailable)) throw error;
        const delayMs = backoff.next();
        this.#paused = `paused, nothing is lost: ${publicReason(error)}`;
        outages.failed(commit.scope, error, delayMs, "paused, nothing is lost: ");
        await clock.sleep(delayMs, signal);
      }
    }
  }
}
