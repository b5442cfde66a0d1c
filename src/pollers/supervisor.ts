import type { Broadcast } from "../coordination/broadcast.ts";
import type { Ending } from "../coordination/coordination.ts";
import { parseScopeName, scopeName, type Scope } from "../schemas/scope.ts";
import { aborted } from "../shared/aborted.ts";
import { Backlog } from "./backlog.ts";
import { FeedOutage, type FeedOutageDeps } from "./feed-outage.ts";
import { isHinted } from "./hints/explained.ts";
import { HintSource, type HintProvider } from "./hints/hint-source.ts";
import { SharedHintSource } from "./hints/shared-hint-source.ts";
import { OutageReporter } from "./outage-reporter.ts";
import type { PollerDeps, PollerOptions, ScopeHooks, ScopeReport } from "./poller.ts";
import { QueryWait } from "./query-wait.ts";
import { ScopeLoop } from "./scope-loop.ts";

interface Running {
  loop: ScopeLoop;
  /** Ends the loop that stopped moving, for another to go on. */
  stuck: PromiseWithResolvers<"stuck">;
}

export interface SupervisorDeps
  extends
    Omit<PollerDeps, "outages" | "feedOutage" | "backlog" | "queryWait" | "hints">,
    Pick<FeedOutageDeps, "planned"> {
  /** To the processes that share the feed; null where there is no other. */
  readonly broadcast: Broadcast | null;
  /** Is given every frame of the event stream that this process follows, as Nomad wrote it. */
  readonly recordFrame?: ((line: Buffer) => void) | undefined;
}

const CHECK_EVERY_MS = 2_000;
/** At the start scopes come one by one, and some lists are now large, now small. */
const READING_TOLD_EVERY_MS = 15_000;
/** Longest that a query may take beyond its wait: connecting, a slow body, several addresses, a scan at rights. */
const BEYOND_WAIT_MS = 5 * 60_000;

/**
 * Runs the loops of the scopes that this process watches. Replaces one that stopped moving, and has all begin anew
 * where the feed got another epoch: what they hold in memory may rest on commits that were lost.
 */
export class Supervisor {
  readonly #deps: PollerDeps;
  readonly #options: PollerOptions;
  readonly #running = new Map<string, Running>();
  readonly #draining = new Set<string>();
  readonly #feedOutage: FeedOutage;
  readonly #hints: HintProvider | null;
  /** So many scopes were read by hints when it was last said. */
  #hinted = 0;
  /** When that changes, it is said no sooner, by the clock that nobody sets. */
  #readingToldAgainAtMs: number;

  constructor({ planned, broadcast, recordFrame, ...deps }: SupervisorDeps, options: PollerOptions) {
    const { logger, clock, metrics } = deps;
    this.#feedOutage = new FeedOutage({ ...deps, watched: this.#running, planned }, options);
    this.#hints = options.reading === "lists" ? null : hintsOf({ ...deps, planned, broadcast, recordFrame });
    this.#deps = {
      ...deps,
      hints: this.#hints,
      outages: new OutageReporter(logger, clock),
      feedOutage: this.#feedOutage,
      backlog: new Backlog(metrics, options.maxBacklogBytes),
      queryWait: new QueryWait(options.waitMs, logger, clock),
    };
    this.#options = options;
    this.#readingToldAgainAtMs = clock.elapsed() + READING_TOLD_EVERY_MS;
  }

  /** Watches over the loops, and hears hints from other processes, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#hints?.listen(signal), this.#watchOver(signal)]);
  }

  /** Follows Nomad's event stream for hints, until `signal` aborts or another process does it. */
  async followHints(signal: AbortSignal): Promise<Ending> {
    if (this.#hints !== null) return this.#hints.run(signal);
    await aborted(signal);
    return "stopped";
  }

  /** Why no hints come, though this process follows them; null where they do, or nobody wants them. */
  hintsMissing(): string | null {
    if (this.#hints === null) return "the worker reads lists only";
    const { kind, reason } = this.#hints.state;
    return kind === "off" || kind === "live" ? null : `${kind}${reason === undefined ? "" : `: ${reason}`}`;
  }

  /** Another plan may be in force. */
  replanned(): void {
    this.#hints?.replanned();
  }

  async #watchOver(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let epoch: string | undefined;
    while (!signal.aborted) {
      this.#replaceStuck();
      for (const { loop } of this.#running.values()) loop.checkStale();
      // Where the log cannot be reached, the loops say so.
      const head = await log.head().catch(() => undefined);
      if (head !== undefined && epoch !== undefined && head.epoch !== epoch) this.#beginAnew(head.epoch);
      epoch = head?.epoch ?? epoch;
      await this.#feedOutage.check();
      this.#tellReading();
      await clock.sleep(CHECK_EVERY_MS, signal);
    }
  }

  /**
   * Watches a scope until `signal` aborts (`stopped`), another process claims it (`fenced`), or its namespace is gone
   * and nothing is left in it (`drained`).
   */
  async watch(scope: Scope, signal: AbortSignal, hooks: ScopeHooks = {}): Promise<Ending> {
    const name = scopeName(scope);
    try {
      for (;;) {
        const abort = new AbortController();
        const loop = new ScopeLoop(scope, this.#deps, this.#options, hooks);
        if (this.#draining.has(name)) loop.drain();
        const running: Running = { loop, stuck: Promise.withResolvers() };
        this.#running.set(name, running);
        // A loop that is stuck is left behind: the claim of the next one fences it off.
        const outcome = await Promise.race([
          loop.run(AbortSignal.any([signal, abort.signal])),
          running.stuck.promise,
        ]);
        if (outcome !== "stuck") {
          if (outcome === "drained")
            this.#deps.logger.info({ scope: name }, "its namespace is deleted and empty; scope ended");
          return outcome;
        }
        abort.abort(new Error("stopped moving"));
      }
    } finally {
      this.#ended(scope);
    }
  }

  /** How many scopes are read by hints, said where that changes, and not too often. */
  #tellReading(): void {
    const { logger, metrics, clock } = this.#deps;
    const readings = this.reports().map(({ reading }) => reading);
    const hinted = readings.filter((reading) => reading === "hinted").length;
    const lists = readings.length - hinted;
    metrics.scopesByReading.set({ reading: "hinted" }, hinted);
    metrics.scopesByReading.set({ reading: "lists" }, lists);
    const now = clock.elapsed();
    if (hinted === this.#hinted || now < this.#readingToldAgainAtMs) return;
    this.#hinted = hinted;
    this.#readingToldAgainAtMs = now + READING_TOLD_EVERY_MS;
    const what = "read by the hints of Nomad's event stream";
    logger.info(
      { hinted, lists },
      hinted === 0 ? `no scope is ${what} any more` : `scopes ${what}: ${hinted}`,
    );
  }

  /** Which scopes' namespaces are gone: their loops end when nothing is left. One may come back while it drains. */
  drain(scopes: ReadonlySet<string>): void {
    for (const [name, { loop }] of this.#running) {
      if (scopes.has(name) === this.#draining.has(name)) continue;
      loop.drain(scopes.has(name));
      // What is in the new namespace is not in a stream that began before it.
      if (!scopes.has(name)) this.#hints?.renew();
    }
    this.#draining.clear();
    for (const name of scopes) this.#draining.add(name);
  }

  /** What is watched and how it goes. */
  reports(): ScopeReport[] {
    return [...this.#running.values()].map(({ loop }) => loop.report());
  }

  /** How one scope goes; undefined where it is not watched here. */
  report(scope: string): ScopeReport | undefined {
    return this.#running.get(scope)?.loop.report();
  }

  /** A loop that has not moved for this long is stuck: every wait of it is shorter. */
  get stuckAfterMs(): number {
    return this.#options.waitMs + this.#options.waitMs / 16 + BEYOND_WAIT_MS;
  }

  #ended(scope: Scope): void {
    const { metrics, outages } = this.#deps;
    this.#running.delete(scopeName(scope));
    outages.forget(scope);
    this.#feedOutage.forget(scope);
    const labels = { resource: scope.resource, namespace: scope.namespace };
    for (const gauge of [metrics.scopeIndex, metrics.scopeObjects, metrics.scopeLastOk, metrics.scopeStale]) {
      gauge.remove(labels);
    }
  }

  #beginAnew(epoch: string): void {
    this.#deps.logger.warn(
      { epoch, scopes: this.#running.size },
      "the feed has a new epoch; reading all scopes again",
    );
    for (const { loop } of this.#running.values()) loop.beginAnew();
  }

  #replaceStuck(): void {
    const now = this.#deps.clock.elapsed();
    for (const [name, { loop, stuck }] of this.#running) {
      const stillMs = now - loop.report().lastMoveAtMs;
      if (stillMs <= this.stuckAfterMs) continue;
      this.#deps.logger.error({ scope: name, stillMs }, "scope loop is stuck; restarting it");
      stuck.resolve("stuck");
    }
  }
}

function hintsOf({ planned, broadcast, recordFrame, ...deps }: Omit<SupervisorDeps, "log">): HintProvider {
  const options = recordFrame === undefined ? {} : { record: recordFrame };
  if (broadcast === null) return new HintSource(deps, options);
  const scopes = () =>
    (planned() ?? [])
      .flatMap((name) => parseScopeName(name) ?? [])
      .filter(({ resource }) => isHinted(resource));
  return new SharedHintSource({ ...deps, broadcast, planned: scopes }, options);
}
