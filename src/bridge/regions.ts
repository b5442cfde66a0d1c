import type { Config } from "../config/config.ts";
import { FEED_NAME } from "../config/feed-options.ts";
import { createNomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import type { FeedsReloadReport, ReloadReport } from "../schemas/reload-schema.ts";
import type { FeedLocation } from "../schemas/value-types.ts";
import type { Feed, FeedsOverrides } from "./feed-run.ts";
import type { FeedSet } from "./feed-set.ts";
import { servedTogether, type Feeds } from "./feeds.ts";
import { depsOf, type BridgeDeps } from "./overrides.ts";

interface RegionsOptions extends Omit<Feed, "name" | "values"> {
  readonly lookEveryMs?: number;
  /** A region that Nomad does not list for so long is gone: before, it may be cut off and come back. */
  readonly goneAfterMs?: number;
}

const LOOK_EVERY_MS = 15_000;
const GONE_AFTER_MS = 10 * 60_000;

/** A feed for each federated region of one Nomad, which asks that Nomad for it; they come and go as Nomad lists them. */
export function createRegions(options: RegionsOptions, overrides: FeedsOverrides): Feeds {
  const deps = depsOf(overrides);
  const work = async (set: FeedSet, signal: AbortSignal): Promise<boolean> => {
    const regions = new Regions(options, { set, deps });
    await using nomad = createNomadClient(resolveNomadOptions(options.config.nomad), {
      logger: deps.loggers.nomad,
      clock: deps.clock,
    });
    let wasRefused = false;
    while (!signal.aborted) {
      try {
        regions.follow(await nomad.regions(signal));
        wasRefused = false;
      } catch (error) {
        // Those that are known go on.
        if (!signal.aborted && !wasRefused)
          deps.loggers.nomad.warn({ err: error }, "Nomad does not say which regions there are; asking on");
        wasRefused = true;
      }
      await deps.clock.sleep(options.lookEveryMs ?? LOOK_EVERY_MS, signal);
    }
    return set.ended();
  };
  return servedTogether(options.config, overrides, { work, reload: reloadEach });
}

/** Which regions there are, Nomad says. */
function reloadEach(set: FeedSet, by: string): FeedsReloadReport {
  const applied: Record<string, ReloadReport> = {};
  for (const run of set.runs()) {
    const report = run.reload(by);
    if (report !== undefined) applied[run.feed.name] = report;
  }
  const [file = ""] = Object.values(applied).map((report) => report.file);
  return { file, added: [], removed: [], restarted: [], applied, needRestart: [] };
}

interface RegionsDeps {
  readonly set: FeedSet;
  readonly deps: BridgeDeps;
}

/** The feeds of the regions that are followed. */
class Regions {
  readonly #options: RegionsOptions;
  readonly #deps: RegionsDeps;
  /** When each was listed last, ms. */
  readonly #listedAtMs = new Map<string, number>();
  readonly #odd = new Set<string>();

  constructor(options: RegionsOptions, deps: RegionsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Begins the feeds of regions that came, and ends those of regions that are gone. */
  follow(listed: readonly string[]): void {
    const { clock, loggers } = this.#deps.deps;
    const nowMs = clock.elapsed();
    for (const region of listed) {
      if (FEED_NAME.test(region)) {
        if (!this.#listedAtMs.has(region)) this.#begin(region);
        this.#listedAtMs.set(region, nowMs);
      } else if (!this.#odd.has(region)) {
        this.#odd.add(region);
        loggers.bridge.warn({ region }, "a region has a name that no address can have: name it in feeds:");
      }
    }
    const { goneAfterMs = GONE_AFTER_MS } = this.#options;
    for (const [region, listedAtMs] of this.#listedAtMs) {
      if (nowMs - listedAtMs < goneAfterMs) continue;
      loggers.bridge.warn({ region }, "a region is gone, and its feed ends; its log stays");
      this.#listedAtMs.delete(region);
      this.#deps.set.end(region, "the region is gone; its log stays");
    }
  }

  #begin(region: string): void {
    const { set, deps } = this.#deps;
    const { config, reread } = this.#options;
    deps.loggers.bridge.info({ region }, "a region is there, and gets a feed");
    set.begin({ name: region, config: configFor(config, region), ...(reread && { reread }) });
  }
}

function configFor(config: Config, region: string): Config {
  return { ...config, nomad: { ...config.nomad, region }, feed: logOf(config.feed, region) };
}

/** `./feed.db` of the region eu is `./feed-eu.db`. */
function logOf(feed: FeedLocation, region: string): FeedLocation {
  if (feed.kind !== "sqlite") return feed;
  const path = /\.[^./]+$/.test(feed.path)
    ? feed.path.replace(/\.[^./]+$/, (ending) => `-${region}${ending}`)
    : `${feed.path}-${region}`;
  return { kind: "sqlite", path };
}
