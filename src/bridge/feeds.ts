import type { Config } from "../config/config.ts";
import { FeedsServer } from "../http/feeds/server.ts";
import type { FeedsReloadReport } from "../schemas/reload-schema.ts";
import { aborted } from "../shared/aborted.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import type { Feed, FeedsOverrides } from "./feed-run.ts";
import { FeedSet } from "./feed-set.ts";
import { reloadFeeds, type RereadFeeds } from "./feeds-reload.ts";
import { connectionsThatFit } from "./open-files.ts";
import { depsOf, type BridgeDeps } from "./overrides.ts";
import { packageVersion } from "./own-package.ts";
import { Parts } from "./parts.ts";
import { ReloadRefused } from "./reload.ts";
import { telemetryOfFeeds } from "./telemetry.ts";

export interface Feeds {
  /** Resolves when subscribers can connect, whichever feeds are served by then; rejects as `run` does. */
  readonly serving: Promise<{ readonly url: string }>;
  /**
   * Serves them until `signal` aborts. A feed that cannot go on is begun anew, and the others do not notice. Answers
   * whether all that was seen is in the logs. Call it once.
   * @throws InsecureListen, ListenFailed, TlsFilesUnusable
   */
  run(signal: AbortSignal): Promise<boolean>;
  /** Applies the configuration file anew to all of them, whole or not at all; `by`: who asked. @throws ReloadRefused */
  reload(by: string): FeedsReloadReport;
}

/** Begins feeds and ends them, until `signal` aborts and all have ended. */
type Work = (set: FeedSet, signal: AbortSignal) => Promise<boolean>;

/**
 * Several feeds in one process: each is a bridge of its own, with its log and all that it does; they share the port. The
 * process's own settings are the same in each configuration. `reread` reads all of them again; absent: there is no file.
 */
export function createFeeds(
  feeds: readonly [Feed, ...Feed[]],
  overrides: FeedsOverrides,
  reread?: () => RereadFeeds,
): Feeds {
  const { loggers } = depsOf(overrides);
  return servedTogether(feeds[0].config, overrides, {
    work: async (set, signal) => {
      for (const feed of feeds) set.begin(feed);
      await aborted(signal);
      return set.ended();
    },
    reload: (set, by) => reloadFeeds(set, by, { started: feeds[0], reread, logger: loggers.bridge }),
  });
}

/** Feeds that `work` begins, behind one port. `config` says what the process has once. */
export function servedTogether(
  config: Config,
  overrides: FeedsOverrides,
  { work, reload }: { work: Work; reload: (set: FeedSet, by: string) => FeedsReloadReport },
): Feeds {
  const serving = Promise.withResolvers<{ url: string }>();
  // `run` rejects with the same; who only runs it need not hear of it twice.
  serving.promise.catch(() => undefined);
  let set: FeedSet | undefined;
  const reloadAll = (by: string): FeedsReloadReport => {
    if (set === undefined) throw new ReloadRefused(["The process does not serve yet"], "Ask again later");
    return reload(set, by);
  };
  const run = async (signal: AbortSignal): Promise<boolean> => {
    const { loggers, ...deps } = depsOf(overrides);
    await using parts = new Parts(loggers.bridge);
    const metrics = createMetrics({ version: packageVersion() });
    const telemetry = await telemetryOfFeeds(config, { ...deps, loggers, metrics }, parts);
    const server = parts.use(await serverOf(config, { ...deps, loggers, metrics, reload: reloadAll }));
    serving.resolve(await server.listen());
    signal.addEventListener("abort", () => server.stopping(), { once: true });
    set = new FeedSet({ server, signal, overrides, telemetry });
    return await work(set, signal);
  };
  return {
    serving: serving.promise,
    reload: reloadAll,
    run: (signal) =>
      run(signal).catch((error: unknown) => {
        serving.reject(error);
        throw error;
      }),
  };
}

async function serverOf(
  { access, listen, insecureNoAuth, console }: Config,
  {
    loggers,
    clock,
    metrics,
    reload,
  }: BridgeDeps & { readonly metrics: Metrics; readonly reload: Feeds["reload"] },
): Promise<FeedsServer> {
  const connections = access.limits.connections ?? (await connectionsThatFit());
  return new FeedsServer(
    { metrics, logger: loggers.http, clock, reload },
    {
      ...access,
      ...listen,
      limits: { ...access.limits, ...(connections !== undefined && { connections }) },
      insecureNoAuth,
      console,
      authRequired: access.tokensFile !== undefined || access.askNomad,
    },
  );
}
