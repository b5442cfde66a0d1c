import { actorOf } from "../../events/actor.ts";
import type { JobAuthors } from "../../nomad/job-authors.ts";
import type { Change } from "../../schemas/change.ts";
import type { Actor } from "../../schemas/event-schema.ts";
import { integerText } from "../../schemas/json.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import { TokenBucket } from "../../shared/token-bucket.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";

export interface ActorsDeps {
  readonly authors: JobAuthors;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "actorsAsked">;
}

/** Requests, two a job: events of a deploy of hundreds go without rather than wait. */
const RATE = { perSecond: 20, burst: 100 };
/** What changes of one poll may wait together. */
const WAIT_MS = 3_000;
const AT_ONCE = 4;
const NAMES_HOLD_MS = 60_000;

/** Finds out who registered the jobs that changed: `--enrich actor`. An event never waits long for it. */
export class Actors {
  readonly #deps: ActorsDeps;
  readonly #bucket: TokenBucket;
  #names:
    | { readonly atMs: number; readonly names: Promise<ReadonlyMap<string, string> | undefined> }
    | undefined;

  constructor(deps: ActorsDeps) {
    this.#deps = deps;
    this.#bucket = new TokenBucket(RATE, deps.clock);
  }

  /** By change; those that nobody is known of are not in it. Rejects with the signal's reason alone. */
  async of(changes: readonly Change[], signal: AbortSignal): Promise<ReadonlyMap<Change, Actor>> {
    const found = new Map<Change, Actor>();
    const asked = changes.filter(isNewVersion);
    if (asked.length === 0) return found;
    using deadline = deadlineOf(this.#deps.clock, WAIT_MS);
    const both = AbortSignal.any([signal, deadline.signal]);
    const queue = asked.values();
    const work = async () => {
      for (const change of queue) {
        const actor = await this.#actorOf(change, both);
        if (actor !== undefined) found.set(change, actor);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, asked.length) }, work));
    signal.throwIfAborted();
    return found;
  }

  async #actorOf(change: Change, signal: AbortSignal): Promise<Actor | undefined> {
    const { authors, logger, metrics } = this.#deps;
    if (signal.aborted || !this.#bucket.tryTake()) {
      metrics.actorsAsked.inc({ outcome: "skipped" });
      return undefined;
    }
    try {
      const { namespace, key: job } = change.ref;
      const accessor = await authors.accessorOf(
        { namespace, job, jobModifyIndex: specIndexOf(change) },
        signal,
      );
      const actor = actorOf(accessor, "job-register");
      metrics.actorsAsked.inc({ outcome: actor === undefined ? "unknown" : "found" });
      return actor && (await this.#named(actor, signal));
    } catch (error) {
      metrics.actorsAsked.inc({ outcome: signal.aborted ? "skipped" : "failed" });
      logger.debug({ err: error, job: change.ref.key }, "cannot find out who registered a job");
      return undefined;
    }
  }

  async #named(actor: Actor, signal: AbortSignal): Promise<Actor> {
    const names = await this.#tokenNames(signal).catch(() => (this.#names = undefined));
    const name = names?.get(actor.id);
    return name === undefined || name === "" ? actor : { ...actor, name };
  }

  #tokenNames(signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined> {
    const { authors, clock } = this.#deps;
    const now = clock.elapsed();
    if (this.#names === undefined || now - this.#names.atMs > NAMES_HOLD_MS)
      this.#names = { atMs: now, names: authors.tokenNames(signal) };
    return this.#names.names;
  }
}

/** A job whose specification was written: it was registered, or scaled, stopped or reverted. */
function isNewVersion(change: Change): boolean {
  if (change.ref.resource !== "jobs" || change.op === "delete") return false;
  if (change.after.value["Stop"] === true) return false;
  return change.op === "create" || specIndexOf(change) !== integerText(change.before.value["JobModifyIndex"]);
}

function specIndexOf(change: Change): string {
  return integerText(change.after?.value["JobModifyIndex"]) ?? "";
}
