import type { Config } from "../config/config.ts";
import type { Logger } from "../telemetry/logger.ts";
import { startBridge, type Bridge } from "./bridge.ts";
import type { Io } from "./io.ts";
import { loggerFor } from "./support/cli-logger.ts";
import { locationText } from "./support/feed-log.ts";

/** `run`: the bridge, until it is told to stop. */
export async function run(config: Config, io: Io): Promise<void> {
  const logger = loggerFor(io, config.log);
  try {
    const bridge = await startBridge(config, { logger, signal: io.signal });
    let complete = false;
    try {
      logger.info(
        { source: bridge.source, log: locationText(config.feed) },
        `serving the feed at ${bridge.url}/v1/events${elsewhere(config.listen)}`,
      );
      void sayWhenReady(bridge, { logger, shared: config.workers.kind === "redis" });
      await Promise.race([bridge.done, aborted(io.signal)]);
    } finally {
      complete = await bridge.stop();
    }
    logger.info(complete ? "stopped; everything that was seen is in the log" : "stopped");
  } catch (error) {
    if (!io.signal.aborted) throw error;
    logger.info("stopped before Nomad answered");
  }
}

/** The server names an address that works from this machine; whoever listens on all of them has more. */
function elsewhere({ host }: Config["listen"]): string {
  return host === "0.0.0.0" || host === "::" ? `, listening on all addresses (${host})` : "";
}

/** The first thing to know after a start: whether everything was read, and what had changed meanwhile. */
async function sayWhenReady(
  bridge: Bridge,
  { logger, shared }: { logger: Logger; shared: boolean },
): Promise<void> {
  try {
    const before = await bridge.log.head().catch(() => undefined);
    await bridge.ready();
    const { sequence } = await bridge.log.head();
    logger.info(
      { sequence, events: before && sequence - before.sequence },
      shared
        ? "every scope that this worker watches so far was read; `assignments` shows who watches the others"
        : "every scope was read: the feed is up to date",
    );
  } catch {
    // It ended before; why is told where it ends.
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
