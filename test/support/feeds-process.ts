import { createFeeds, type Feeds } from "../../src/bridge/feeds.ts";
import { FILTER_LANGUAGE } from "../../src/commands/support/filter-language.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { silentLogger, type Logger } from "../../src/telemetry/logger.ts";

/** Several feeds as one process serves them, in this process. */
export interface RunningFeeds extends AsyncDisposable {
  readonly url: string;
  readonly done: ReturnType<Feeds["run"]>;
}

/** `file`: the path of a configuration file with `feeds:`. */
export async function startFeeds(file: string, logger: Logger = silentLogger()): Promise<RunningFeeds> {
  const { feeds = [] } = resolveConfig({ flags: { config: file }, env: {}, language: FILTER_LANGUAGE });
  const [first, ...others] = feeds;
  if (first === undefined) throw new Error("the file has no feeds");
  const stop = new AbortController();
  const all = createFeeds([first, ...others], { logger });
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
