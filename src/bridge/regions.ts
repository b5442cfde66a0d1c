import type { Config } from "../config/config.ts";
import { FEED_NAME } from "../config/feed-options.ts";
import { createNomadClient } from "../nomad/client.ts";
import { resolveNomadOptions } from "../nomad/options.ts";
import type { FeedsReloadReport, ReloadReport } from "../schemas/reload-schema.ts";
import type { FeedLocation } from "../schemas/value-types.ts";
import type { Feed, FeedsOverrides } from "./feed-run.ts";
import type { FeedSet } from "./feed-set.ts";
import { isConfiguredOtherwise } from "./feeds-reload.ts";
import { servedTogether, type Feeds } from "./feeds.ts";
import { depsOf, type BridgeDeps } from "./overrides.ts";
import { readAnew } from "./reload.ts";

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
  const regions = new Regions(options, deps);
  const work = async (set: FeedSet, signal: AbortSignal): Promise<boolean> => {
    await using nomad = createNomadClient(resolveNomadOptions(options.config.nomad), {
      logger: deps.loggers.nomad,
      clock: deps.clock,
    });
    let wasRefused = false;
    while (!signal.aborted) {
      try {
        regions.follow(await nomad.regions(signal), set);
        wasRefused = false;
      } catch (error) {
        // Those that are known go on.
        regions.unanswered();
        if (!signal.aborted && !wasRefused)
          deps.loggers.nomad.warn({ err: error }, "Nomad does not say which regions there are; asking on");
        wasRefused = true;
      }
      await deps.clock.sleep(options.lookEveryMs ?? LOOK_EVERY_MS, signal);
    }
    return set.ended();
  };
  return servedTogether(options.config, overrides, { work, reload: (set, by) => regions.reload(set, by) });
}

/** The feeds of the regions that are followed. @internal */
export class Regions {
  readonly #options: RegionsOptions;
  readonly #deps: Pick<BridgeDeps, "clock" | "loggers">;
  /** As it was read last: regions that come begin with it too. */
  #config: Config;
  readonly #known = new Set<string>();
  /** Since when each of those that are known is not listed, ms. */
  readonly #missingSinceMs = new Map<string, number>();
  readonly #odd = new Set<string>();

  constructor(options: RegionsOptions, deps: Pick<BridgeDeps, "clock" | "loggers">) {
    this.#options = options;
    this.#deps = deps;
    this.#config = options.config;
  }

  /** Begins the feeds of regions that came, and ends those of regions that are gone. */
  follow(listed: readonly string[], set: Pick<FeedSet, "begin" | "end">): void {
    const { clock, loggers } = this.#deps;
    for (const region of listed) {
      if (FEED_NAME.test(region)) this.#listed(region, set);
      else if (!this.#odd.has(region)) {
        this.#odd.add(region);
        loggers.bridge.warn({ region }, "a region has a name that no address can have: name it in feeds:");
      }
    }
    const nowMs = clock.elapsed();
    for (const region of this.#known) {
      if (listed.includes(region)) continue;
      const sinceMs = this.#missingSinceMs.get(region) ?? nowMs;
      this.#missingSinceMs.set(region, sinceMs);
      if (nowMs - sinceMs >= (this.#options.goneAfterMs ?? GONE_AFTER_MS)) this.#end(region, set);
    }
  }

  /** Nomad did not say which there are: it may forget its neighbours until it is well again, so they count anew. */
  unanswered(): void {
    this.#missingSinceMs.clear();
  }

  /** Which regions there are, Nomad says; all else the file, for each of them. @throws ReloadRefused */
  reload(set: Pick<FeedSet, "runs">, by: string): FeedsReloadReport {
    const { file, config, needRestart } = readAnew(this.#options.reread, by, this.#deps.loggers.bridge);
    this.#config = { ...this.#config, ...config };
    const applied: Record<string, ReloadReport> = {};
    const restarted: string[] = [];
    for (const run of set.runs()) {
      const feed = this.#feedOf(run.feed.name);
      const report = run.reload(by, feed, { file, config, needRestart: [] });
      if (report !== undefined) applied[feed.name] = report;
      else if (isConfiguredOtherwise(run.feed, feed)) {
        restarted.push(feed.name);
        run.beginAnew(feed);
      }
    }
    return { file, added: [], removed: [], restarted, applied, needRestart: [...needRestart] };
  }

  #listed(region: string, set: Pick<FeedSet, "begin">): void {
    this.#missingSinceMs.delete(region);
    if (this.#known.has(region)) return;
    this.#known.add(region);
    this.#deps.loggers.bridge.info({ region }, "a region is there, and gets a feed");
    set.begin(this.#feedOf(region));
  }

  #end(region: string, set: Pick<FeedSet, "end">): void {
    this.#deps.loggers.bridge.warn({ region }, "a region is gone, and its feed ends; its log stays");
    this.#known.delete(region);
    this.#missingSinceMs.delete(region);
    set.end(region, "the region is gone; its log stays");
  }

  #feedOf(region: string): Feed {
    const { reread } = this.#options;
    return { name: region, config: configFor(this.#config, region), ...(reread && { reread }) };
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
