import type { Config } from "../config/config.ts";
import { rereader, rereadFeeds } from "../config/reread.ts";
import type { ResolvedConfig, ResolvedFeed } from "../config/resolve.ts";
import type { ResolvedOne } from "../config/resolve-one.ts";
import { secretReader } from "../config/secrets.ts";
import type { Given } from "../config/sources.ts";
import { ChangefeedError } from "../schemas/errors.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBridge, type Bridge } from "../bridge/bridge.ts";
import type { Feed, FeedsOverrides } from "../bridge/feed-run.ts";
import { createFeeds, type Feeds } from "../bridge/feeds.ts";
import { createRegions } from "../bridge/regions.ts";
import type { Io } from "./io.ts";
import { loggerFor } from "./support/cli-logger.ts";
import { locationText } from "../bridge/log.ts";

/** `run`: the bridge, or all of them, until it is told to stop. */
export async function run(
  { resolved, given }: { resolved: ResolvedConfig; given: Given },
  io: Io,
): Promise<void> {
  const [first, ...others] = resolved.feeds ?? [];
  if (first !== undefined) await runAll([first, ...others], given, io);
  else if (resolved.config.regions === "all") await runRegions(resolved, given, io);
  else await runOne(resolved, given, io);
}

/** Each federated region; SIGHUP has each of them read the file again. */
async function runRegions(resolved: ResolvedOne, given: Given, io: Io): Promise<void> {
  const { config } = resolved;
  const reread = rereader(resolved, given);
  const create = (overrides: FeedsOverrides) => createRegions({ config, reread }, overrides);
  await runTogether({ config, create, reloads: reread !== undefined }, io);
}

/** Several feeds; after SIGHUP they are those that the file has then. */
async function runAll(
  feeds: readonly [ResolvedFeed, ...ResolvedFeed[]],
  given: Given,
  io: Io,
): Promise<void> {
  const [first, ...others] = feeds;
  const { config: file = "" } = first.values;
  const asFeed = (feed: ResolvedFeed): Feed => ({ ...feed, reread: rereader(feed, given, feed.name) });
  const reread = () => ({ file, feeds: rereadFeeds(given, file).map(asFeed) });
  const create = (overrides: FeedsOverrides) =>
    createFeeds([asFeed(first), ...others.map(asFeed)], overrides, reread);
  await runTogether({ config: first.config, create, reloads: true }, io);
}

interface Together {
  readonly config: Config;
  readonly create: (overrides: FeedsOverrides) => Feeds;
  readonly reloads: boolean;
}

async function runTogether({ config, create, reloads }: Together, io: Io): Promise<void> {
  const logger = loggerFor(io, config.log);
  const all = create({
    logger,
    clock: io.clock,
    readSecret: secretReader(io.env),
    stdout: io.stdoutBytes,
    onBridge: (feed, bridge, itsLogger) =>
      void sayHowItGoes(bridge, { config: feed.config, logger: itsLogger }),
  });
  const whenServed = () => all.serving.then(() => all);
  io.onHangUp?.(reloads ? () => void reload(whenServed(), logger) : undefined);
  void all.serving.then(
    ({ url }) => logger.info(`serving several feeds at ${url}/v1/feeds${elsewhere(config.listen)}`),
    () => undefined,
  );
  const complete = await all.run(io.signal);
  logger.info(complete ? "stopped; everything that was seen is in the logs" : "stopped");
}

async function runOne(resolved: ResolvedOne, given: Given, io: Io): Promise<void> {
  const { config } = resolved;
  const logger = loggerFor(io, config.log);
  const reread = rereader(resolved, given);
  const bridge = createBridge(config, {
    logger,
    clock: io.clock,
    readSecret: secretReader(io.env),
    stdout: io.stdoutBytes,
    ...(reread && { reread }),
  });
  const served = bridge.serving.then(
    () => true,
    () => false,
  );
  // Without a file there is nothing to read again, and the terminal was closed.
  io.onHangUp?.(reread && (() => void reload(bridge.serving, logger)));
  void sayHowItGoes(bridge, { config, logger });
  try {
    const complete = await bridge.run(io.signal);
    logger.info(complete ? "stopped; everything that was seen is in the log" : "stopped");
  } catch (error) {
    if (!io.signal.aborted || (await served)) throw error;
    logger.info("stopped before Nomad answered");
  }
}

/** Once it serves; before, nothing of the file is in use that can be reloaded. */
async function reload(serving: Promise<{ reload: (by: string) => unknown }>, logger: Logger): Promise<void> {
  try {
    (await serving).reload("SIGHUP");
  } catch (error) {
    // A refused file is logged where it is refused; a bridge that never served says why where it is run.
    if (!(error instanceof ChangefeedError)) logger.error({ err: error }, "cannot reload");
  }
}

/**
 * Where it serves, and the first thing to know after a start: whether everything was read, and what had changed
 * meanwhile.
 */
async function sayHowItGoes(
  bridge: Bridge,
  { config, logger }: { config: Config; logger: Logger },
): Promise<void> {
  try {
    const serving = await bridge.serving;
    const { url, source, log, consoleUrl } = serving;
    logger.info(
      { source, log: locationText(config.feed) },
      `serving the feed at ${url}/v1/events${elsewhere(config.listen)}`,
    );
    if (consoleUrl !== undefined) logger.info(`the console is at ${consoleUrl}`);
    const before = await log.head().catch(() => undefined);
    await serving.ready();
    const { sequence } = await log.head();
    logger.info(
      { sequence, events: before && sequence - before.sequence },
      config.workers.kind === "redis"
        ? "all scopes of this worker so far are read; `assignments` shows who watches the others"
        : "all scopes are read: the feed is up to date",
    );
  } catch {
    // It ended before; `run` tells why.
  }
}

/** The server names an address that works from this machine; whoever listens on all of them has more. */
function elsewhere({ host }: Config["listen"]): string {
  return host === "0.0.0.0" || host === "::" ? `, listening on all addresses (${host})` : "";
}
