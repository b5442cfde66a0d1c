import { LogUnavailable } from "../feed/errors.ts";
import type { FeedLog, ScopeStatus } from "../feed/log.ts";
import type { NomadApi } from "../nomad/api.ts";
import { NomadError } from "../nomad/errors.ts";
import { RESOURCES, type ResourceType } from "../schemas/resources.ts";
import { parseScopeName, scopeName, type Scope } from "../schemas/scope.ts";
import { parseInSlices } from "../snapshots/snapshot.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Clock } from "../shared/clock.ts";
import { inSlices } from "./in-slices.ts";

export interface LeftoversDeps {
  readonly log: Pick<FeedLog, "scopes" | "filled" | "beginEmpty">;
  readonly nomad: Pick<NomadApi, "list">;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when a scan found something that it had not found before. */
  readonly onFound: () => void;
}

/** What is watched already, whose rows a scan leaves out. */
export interface Watched {
  readonly namespaces: readonly string[];
  /** Watched in all namespaces at once. */
  readonly folded: ReadonlySet<ResourceType>;
}

/** What Nomad leaves of a deleted namespace. */
const OUTLIVE: ReadonlySet<ResourceType> = new Set(["jobs", "allocations", "deployments", "evaluations"]);
const SCAN_EVERY_MS = 5 * 60_000;
/** Scans rest so many times as long as Nomad took for the last one, so that it spends a tenth of its time on them. */
const REST_FACTOR = 10;
const SHORTEST_REST_MS = 250;
const LONGEST_REST_MS = SCAN_EVERY_MS;
/** While Nomad does not say which namespaces there are, a scan would read everything. */
const UNKNOWN_FOR_MS = 60_000;
const RETRY_MS = 5_000;
/** After so many failures in a row they are said aloud. */
const SAY_AT_FAILURE = 5;
/** Proxies refuse request lines of more than 8 KiB. */
const MAX_FILTER_CHARS = 4_000;
const REFUSALS: ReadonlySet<string> = new Set(["NOMAD_FORBIDDEN", "NOMAD_UNAUTHORIZED"]);

/**
 * Finds objects in namespaces that nobody watches. Nomad deletes a namespace and leaves dead jobs, allocations,
 * deployments and evaluations of it until it collects them, so a namespace may come and go between two scans of the
 * list of namespaces and leave objects behind. `*` lists show them, filtered to what is not watched already; what the
 * feed still holds counts too, until its end was seen.
 */
export class Leftovers {
  readonly #deps: LeftoversDeps;
  readonly #resources: readonly ResourceType[];
  /** Scopes in which a scan found something, and when the feed had read them last, until it has read them since. */
  #found = new Map<string, string>();
  /** Resources whose first scopes were read: what is found later was not there when the feed began. */
  #begun: Set<ResourceType> | undefined;
  #scanned = false;
  #dueAtMs = 0;
  #earliestAtMs = 0;
  /** How long Nomad took for its answers to one scan. */
  #nomadMs = 0;
  #changes = 0;
  #failures = 0;
  #wake = new AbortController();

  constructor(deps: LeftoversDeps, resources: readonly ResourceType[]) {
    this.#deps = deps;
    this.#resources = resources.filter((type) => RESOURCES[type].namespaced);
  }

  /** Scans when namespaces have changed, and now and then, until `signal` aborts. Never rejects. */
  async run(watched: () => Watched, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    this.#found = new Map();
    this.#begun = undefined;
    this.#scanned = false;
    this.#dueAtMs = clock.elapsed() + UNKNOWN_FOR_MS;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const waitMs = Math.max(this.#dueAtMs, this.#earliestAtMs) - clock.elapsed();
      if (waitMs > 0) await clock.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal]));
      else await this.#scanOnce(watched(), signal);
    }
  }

  /** Whether Nomad was asked since `run`. */
  get scanned(): boolean {
    return this.#scanned;
  }

  /** The namespaces are others than at the last scan, or may be. */
  changed(): void {
    this.#changes += 1;
    this.#dueAtMs = 0;
    this.#wake.abort();
  }

  /** Scopes outside of these namespaces that hold something, by the feed's own word or Nomad's. */
  async outside(namespaces: readonly string[]): Promise<Scope[]> {
    const { log } = this.#deps;
    const statuses = await log.scopes();
    const filled = await log.filled();
    for (const [name, readAt] of this.#found) {
      if (readAtOf(statuses, name) !== readAt) this.#found.delete(name);
    }
    const known = new Set(namespaces);
    const names = new Set([...filled.map(scopeName), ...this.#found.keys()]);
    return [...names]
      .map(parseScopeName)
      .filter((scope) => scope !== undefined)
      .filter((scope) => this.#resources.includes(scope.resource) && !known.has(scope.namespace));
  }

  async #scanOnce(watched: Watched, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    const changes = this.#changes;
    this.#nomadMs = 0;
    let nextMs = SCAN_EVERY_MS;
    try {
      await this.#scan(watched, signal);
      this.#failures = 0;
      this.#scanned = true;
    } catch (error) {
      if (signal.aborted) return;
      this.#failures += 1;
      nextMs = RETRY_MS;
      // While the log is away, the scopes that have something to write say so.
      const isNews = this.#failures === SAY_AT_FAILURE && !(error instanceof LogUnavailable);
      const level = isNews ? "warn" : "debug";
      logger[level]({ err: error }, "cannot check what deleted namespaces left behind; retrying");
    }
    const endedAtMs = clock.elapsed();
    const restMs = Math.max(SHORTEST_REST_MS, REST_FACTOR * this.#nomadMs);
    this.#earliestAtMs = endedAtMs + Math.min(restMs, LONGEST_REST_MS);
    if (changes === this.#changes) this.#dueAtMs = endedAtMs + nextMs;
  }

  async #scan(watched: Watched, signal: AbortSignal): Promise<void> {
    const { log, logger, onFound } = this.#deps;
    const begun = (this.#begun ??= begunIn(await log.scopes()));
    for (const resource of this.#resources.filter((type) => OUTLIVE.has(type))) {
      if (watched.folded.has(resource)) continue;
      const scopes = await this.#scopesOutside(resource, watched.namespaces, signal);
      // Only what is read from here on was read after the scan.
      const statuses = await log.scopes();
      if (begun.has(resource)) await this.#beginEmpty(scopes, statuses);
      begun.add(resource);
      const before = [...this.#found.keys()].filter((name) => name.startsWith(`${resource}/`));
      for (const name of before) this.#found.delete(name);
      for (const scope of scopes) this.#found.set(scopeName(scope), readAtOf(statuses, scopeName(scope)));
      if (scopes.every((scope) => before.includes(scopeName(scope)))) continue;
      logger.debug(
        { resource, namespaces: scopes.map((scope) => scope.namespace) },
        "objects outlived their namespace",
      );
      onFound();
    }
  }

  /** What came after the feed began is news, not what was there before. */
  async #beginEmpty(scopes: readonly Scope[], statuses: readonly ScopeStatus[]): Promise<void> {
    const known = new Set(statuses.map(({ scope }) => scopeName(scope)));
    const unknown = scopes.filter((scope) => !known.has(scopeName(scope)));
    if (unknown.length > 0) await this.#deps.log.beginEmpty(unknown);
  }

  async #scopesOutside(
    resource: ResourceType,
    namespaces: readonly string[],
    signal: AbortSignal,
  ): Promise<Scope[]> {
    const { nomad, clock } = this.#deps;
    const filter = filterOutside(namespaces);
    const response = await nomad
      .list({
        resource,
        namespace: "*",
        consistency: "default",
        ...(filter === undefined ? {} : { filter }),
        signal,
      })
      .catch((error: unknown) => {
        // Nothing may be seen anywhere, so nothing of a deleted namespace either.
        if (error instanceof NomadError && REFUSALS.has(error.code)) return undefined;
        throw error;
      });
    if (response === undefined) return [];
    this.#nomadMs += response.elapsedMs;
    const steps = parseInSlices(RESOURCES[resource], response.body);
    const snapshot = await inSlices(steps, { clock, onMove: () => undefined, signal });
    const found = new Set([...snapshot.refs()].map((ref) => ref.namespace));
    // Nomad before 1.3 knows no filter.
    for (const namespace of namespaces) found.delete(namespace);
    return [...found].map((namespace) => ({ resource, namespace }));
  }
}

function filterOutside(namespaces: readonly string[]): string | undefined {
  const filter = namespaces.map((name) => `Namespace != ${JSON.stringify(name)}`).join(" and ");
  return filter === "" || filter.length > MAX_FILTER_CHARS ? undefined : filter;
}

function begunIn(statuses: readonly ScopeStatus[]): Set<ResourceType> {
  return new Set(statuses.filter(({ baselined }) => baselined).map(({ scope }) => scope.resource));
}

/** When the scope, and `*` of its resource, were read last: another text once either was read again. */
function readAtOf(statuses: readonly ScopeStatus[], name: string): string {
  const all = `${name.slice(0, name.indexOf("/"))}/*`;
  return statuses
    .filter(({ scope }) => scopeName(scope) === name || scopeName(scope) === all)
    .flatMap(({ scope, checkpoint }) =>
      checkpoint === null ? [] : `${scopeName(scope)} ${checkpoint.observedAt}`,
    )
    .join();
}
