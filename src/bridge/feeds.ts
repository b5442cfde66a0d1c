import type { Config } from "../config/config.ts";
import type { FeedMount } from "../http/feeds/feed-mount.ts";
import { FeedsServer } from "../http/feeds/server.ts";
import { Backoff } from "../shared/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { createBridge, type Bridge } from "./bridge.ts";
import { connectionsThatFit } from "./open-files.ts";
import { depsOf, type BridgeDeps, type BridgeOverrides, type SharedTelemetry } from "./overrides.ts";
import { packageVersion } from "./own-package.ts";
import { Parts } from "./parts.ts";
import { telemetryOfFeeds } from "./telemetry.ts";

/** One feed of a process that serves several. */
export interface Feed {
  readonly name: string;
  readonly config: Config;
  readonly reread?: BridgeOverrides["reread"];
}

export interface FeedsOverrides extends Omit<BridgeOverrides, "reread" | "mount" | "telemetry"> {
  /** Told of each bridge that begins, also of those that follow one which failed. */
  readonly onBridge?: (feed: Feed, bridge: Bridge, logger: Logger) => void;
}

export interface Feeds {
  /** Resolves when subscribers can connect, whichever feeds are served by then; rejects as `run` does. */
  readonly serving: Promise<{ readonly url: string }>;
  /**
   * Serves them until `signal` aborts. A feed that cannot go on is begun anew, and the others do not notice. Answers
   * whether all that was seen is in the logs. Call it once.
   * @throws InsecureListen, ListenFailed, TlsFilesUnusable
   */
  run(signal: AbortSignal): Promise<boolean>;
}

const FIRST_RETRY_MS = 1000;
const MOST_RETRY_MS = 60_000;
/** One that ran for so long failed for another reason than before. */
const RAN_WELL_MS = 60_000;

/** Begins a feed; resolves when `signal` aborts and it has ended, with whether all that it saw is in its log. */
export type StartFeed = (feed: Feed, signal: AbortSignal) => Promise<boolean>;

/**
 * Several feeds in one process: each is a bridge of its own, with its log and all that it does; they share the port. The
 * process's own settings are the same in each configuration.
 */
export function createFeeds(feeds: readonly [Feed, ...Feed[]], overrides: FeedsOverrides): Feeds {
  return servedTogether(feeds[0].config, overrides, async (start, signal) => {
    const whole = await Promise.all(feeds.map((feed) => start(feed, signal)));
    return whole.every(Boolean);
  });
}

/** Feeds that `work` begins, behind one port. `config` says what the process has once. */
export function servedTogether(
  config: Config,
  overrides: FeedsOverrides,
  work: (start: StartFeed, signal: AbortSignal) => Promise<boolean>,
): Feeds {
  const serving = Promise.withResolvers<{ url: string }>();
  // `run` rejects with the same; who only runs it need not hear of it twice.
  serving.promise.catch(() => undefined);
  const run = async (signal: AbortSignal): Promise<boolean> => {
    const { loggers, ...deps } = depsOf(overrides);
    await using parts = new Parts(loggers.bridge);
    const metrics = createMetrics({ version: packageVersion() });
    const sent = await telemetryOfFeeds(config, { ...deps, loggers, metrics }, parts);
    const server = parts.use(await serverOf(config, { ...deps, loggers, metrics }));
    serving.resolve(await server.listen());
    signal.addEventListener("abort", () => server.stopping(), { once: true });
    const start: StartFeed = async (feed, until) => {
      const mount = server.mount(feed.name);
      const telemetry = { process: sent, feed: feed.name };
      const isWhole = await keepRunning(feed, { mount, telemetry, signal: until, overrides });
      server.unmount(feed.name);
      return isWhole;
    };
    return await work(start, signal);
  };
  return {
    serving: serving.promise,
    run: (signal) =>
      run(signal).catch((error: unknown) => {
        serving.reject(error);
        throw error;
      }),
  };
}

async function serverOf(
  { access, listen, insecureNoAuth, console }: Config,
  { loggers, clock, metrics }: BridgeDeps & { readonly metrics: Metrics },
): Promise<FeedsServer> {
  const connections = access.limits.connections ?? (await connectionsThatFit());
  return new FeedsServer(
    { metrics, logger: loggers.http, clock },
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

interface Keeping {
  readonly mount: FeedMount;
  readonly telemetry: SharedTelemetry;
  readonly signal: AbortSignal;
  readonly overrides: FeedsOverrides;
}

/** Answers whether all that the feed saw is in its log. */
async function keepRunning(feed: Feed, { mount, telemetry, signal, overrides }: Keeping): Promise<boolean> {
  const { onBridge, ...rest } = overrides;
  const { clock, random, loggers } = depsOf(rest);
  const logger = overrides.logger.child({ feed: feed.name });
  const backoff = new Backoff({ baseMs: FIRST_RETRY_MS, maxMs: MOST_RETRY_MS, random });
  for (;;) {
    const beganAtMs = clock.elapsed();
    const bridge = createBridge(feed.config, {
      ...rest,
      logger,
      mount,
      telemetry,
      ...(feed.reread && { reread: feed.reread }),
    });
    onBridge?.(feed, bridge, logger);
    try {
      return await bridge.run(signal);
    } catch (error) {
      // Told to stop before it served: it had seen nothing.
      if (signal.aborted) return true;
      if (clock.elapsed() - beganAtMs > RAN_WELL_MS) backoff.reset();
      const waitMs = backoff.next(FIRST_RETRY_MS);
      mount.awaited = `it cannot go on: ${error instanceof Error ? error.message : String(error)}`;
      loggers.bridge.error(
        { feed: feed.name, err: error, waitMs },
        "a feed cannot go on and is begun anew; the others go on",
      );
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return true;
    }
  }
}
