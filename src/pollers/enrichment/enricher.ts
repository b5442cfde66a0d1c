import type { Found, SkippedVersion } from "../../events/context.ts";
import { NomadError } from "../../nomad/errors.ts";
import type { Change } from "../../schemas/change.ts";
import { deadlineOf, type Clock } from "../../shared/clock.ts";
import { TokenBucket } from "../../shared/token-bucket.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { REFUSED, type Finder } from "./finder.ts";

interface EnricherDeps {
  readonly finders: readonly Finder[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, "enrichments">;
}

/** Questions, of one or two requests each: events of a deploy of hundreds go without rather than wait. */
const RATE = { perSecond: 20, burst: 100 };
/** What changes of one poll may wait together. */
const WAIT_MS = 3_000;
const AT_ONCE = 4;

/** Finds out beside the lists what `--enrich` names. An event never waits long for it. */
export class Enricher {
  readonly #deps: EnricherDeps;
  readonly #bucket: TokenBucket;

  constructor(deps: EnricherDeps) {
    this.#deps = deps;
    this.#bucket = new TokenBucket(RATE, deps.clock);
  }

  /** By change; those that there is nothing to say of are not in it. Rejects with the signal's reason alone. */
  async of(changes: readonly Change[], signal: AbortSignal): Promise<ReadonlyMap<Change, Found>> {
    const found = new Map<Change, Found>();
    const questions = changes.flatMap((change) =>
      this.#deps.finders.filter(({ wants }) => wants(change)).map((finder) => ({ change, finder })),
    );
    if (questions.length === 0) return found;
    using deadline = deadlineOf(this.#deps.clock, WAIT_MS);
    const both = AbortSignal.any([signal, deadline.signal]);
    const queue = questions.values();
    const work = async () => {
      for (const { change, finder } of queue) {
        const answer = await this.#ask(finder, change, both);
        found.set(change, together(found.get(change) ?? {}, answer));
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, questions.length) }, work));
    signal.throwIfAborted();
    return found;
  }

  async #ask(finder: Finder, change: Change, signal: AbortSignal): Promise<Found> {
    const { logger, metrics } = this.#deps;
    const { what } = finder;
    const without = (outcome: "unknown" | "failed" | "skipped", why: string) => {
      metrics.enrichments.inc({ what, outcome });
      return finder.without(why);
    };
    if (signal.aborted) return without("skipped", TOO_LATE);
    if (!this.#bucket.tryTake()) return without("skipped", "Too much was to be found out at once");
    try {
      const found = await finder.find(change, signal);
      if (typeof found === "string") return without("unknown", found);
      metrics.enrichments.inc({ what, outcome: "found" });
      return found;
    } catch (error) {
      if (signal.aborted) return without("skipped", TOO_LATE);
      const { resource, key } = change.ref;
      logger.debug({ err: error, what, [resource]: key }, "cannot find out what --enrich asks for");
      return without("failed", reasonOf(error));
    }
  }
}

/** What several finders found out about one change, and about each version that it passed over. */
function together(one: Found, other: Found): Found {
  const versions = new Map<number, SkippedVersion>();
  for (const { kept, found } of [...(one.skipped ?? []), ...(other.skipped ?? [])]) {
    const { Version } = kept.version;
    versions.set(Version, { kept, found: { ...versions.get(Version)?.found, ...found } });
  }
  return { ...one, ...other, skipped: [...versions.values()] };
}

const TOO_LATE = `Nomad did not say within ${WAIT_MS / 1000} s`;

/** Without addresses: the event is read by many. */
function reasonOf(error: unknown): string {
  const isRefused = error instanceof NomadError && error.code === "NOMAD_FORBIDDEN";
  return isRefused ? REFUSED : "Nomad did not answer as it should";
}
