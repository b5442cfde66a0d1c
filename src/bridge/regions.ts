import type { Config } from "../config/config.ts";
import { FEED_NAME } from "../config/feed-options.ts";
import { createNomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import type { FeedLocation } from "../schemas/value-types.ts";
import { servedTogether, type Feed, type Feeds, type FeedsOverrides, type StartFeed } from "./feeds.ts";
import { depsOf, type BridgeDeps } from "./overrides.ts";

interface RegionsOptions extends Omit<Feed, "name"> {
  readonly lookEveryMs?: number;
  /** A region that Nomad does not list for so long is gone: before, it may be cut off and come back. */
  readonly goneAfterMs?: number;
}

const LOOK_EVERY_MS = 15_000;
const GONE_AFTER_MS = 10 * 60_000;

/** A feed for each federated region of one Nomad, which asks that Nomad for it; they come and go as Nomad lists them. */
export function createRegions(options: RegionsOptions, overrides: FeedsOverrides): Feeds {
  return servedTogether(options.config, overrides, async (start, signal) => {
    const deps = depsOf(overrides);
    const regions = new Regions(options, { start, signal, deps });
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
    return regions.ended();
  });
}

interface RegionsDeps {
  readonly start: StartFeed;
  readonly signal: AbortSignal;
  readonly deps: BridgeDeps;
}

interface Followed {
  readonly stop: AbortController;
  readonly done: Promise<void>;
  listedAtMs: number;
}

/** The feeds of the regions that are followed. */
class Regions {
  readonly #options: RegionsOptions;
  readonly #deps: RegionsDeps;
  readonly #followed = new Map<string, Followed>();
  readonly #odd = new Set<string>();
  #isWhole = true;

  constructor(options: RegionsOptions, deps: RegionsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Begins the feeds of regions that came, and ends those of regions that are gone. */
  follow(listed: readonly string[]): void {
    const { clock, loggers } = this.#deps.deps;
    const nowMs = clock.elapsed();
    for (const region of listed) {
      const followed = this.#followed.get(region);
      if (followed !== undefined) followed.listedAtMs = nowMs;
      else if (FEED_NAME.test(region)) this.#begin(region, nowMs);
      else if (!this.#odd.has(region)) {
        this.#odd.add(region);
        loggers.bridge.warn({ region }, "a region has a name that no address can have: name it in feeds:");
      }
    }
    const { goneAfterMs = GONE_AFTER_MS } = this.#options;
    for (const [region, { stop, listedAtMs }] of this.#followed) {
      if (nowMs - listedAtMs < goneAfterMs || stop.signal.aborted) continue;
      loggers.bridge.warn({ region }, "a region is gone, and its feed ends; its log stays");
      stop.abort(new Error("the region is gone"));
    }
  }

  /** Whether all that they saw is in their logs, once all have ended. */
  async ended(): Promise<boolean> {
    await Promise.all([...this.#followed.values()].map(({ done }) => done));
    return this.#isWhole;
  }

  #begin(region: string, nowMs: number): void {
    const { start, signal, deps } = this.#deps;
    const { config, reread } = this.#options;
    const stop = new AbortController();
    deps.loggers.bridge.info({ region }, "a region is there, and gets a feed");
    const feed = { name: region, config: configFor(config, region), ...(reread && { reread }) };
    const run = async (): Promise<void> => {
      const isWhole = await start(feed, AbortSignal.any([signal, stop.signal]));
      this.#isWhole &&= isWhole;
      this.#followed.delete(region);
    };
    const done = run();
    this.#followed.set(region, { stop, done, listedAtMs: nowMs });
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
