import type { FeedsOverrides } from "../../src/bridge/feed-run.ts";
import { createFeeds, type Feeds } from "../../src/bridge/feeds.ts";
import { createRegions } from "../../src/bridge/regions.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { rereader, rereadFeeds } from "../../src/config/reread.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import type { Given } from "../../src/config/sources.ts";
import { silentLogger } from "../../src/telemetry/logger.ts";

/** Several feeds as one process serves them, in this process. */
export interface RunningFeeds extends AsyncDisposable {
  readonly url: string;
  readonly done: ReturnType<Feeds["run"]>;
}

/** `file`: the path of a configuration file with `feeds:`. */
export async function startFeeds(
  file: string,
  overrides: Partial<FeedsOverrides> = {},
): Promise<RunningFeeds> {
  const given: Given = { flags: { config: file }, env: {}, language: FILTER_LANGUAGE };
  const { feeds = [] } = resolveConfig(given);
  const [first, ...others] = feeds;
  if (first === undefined) throw new Error("the file has no feeds");
  const reread = () => ({ file, feeds: rereadFeeds(given, file) });
  return started(createFeeds([first, ...others], { logger: silentLogger(), ...overrides }, reread));
}

/** A feed for each region that the Nomad lists. */
export async function startRegions(
  flags: Given["flags"],
  timing: { lookEveryMs: number; goneAfterMs: number },
): Promise<RunningFeeds> {
  const given: Given = { flags, env: {}, language: FILTER_LANGUAGE };
  const resolved = resolveConfig(given);
  const options = { config: resolved.config, reread: rereader(resolved, given), ...timing };
  return started(createRegions(options, { logger: silentLogger() }));
}

async function started(all: Feeds): Promise<RunningFeeds> {
  const stop = new AbortController();
  const done = all.run(stop.signal);
  done.catch(() => undefined);
  const { url } = await all.serving;
  return {
    url,
    done,
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error("the test stops the feeds"));
      await done;
    },
  };
}
