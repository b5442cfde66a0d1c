import type { Config } from "../config/config.ts";
import { createLogger } from "../telemetry/logger.ts";
import { startBridge } from "./bridge.ts";
import type { Io } from "./io.ts";
import { locationText } from "./support/feed-log.ts";

/** `run`: the bridge, until it is told to stop. */
export async function run(config: Config, io: Io): Promise<void> {
  const format = config.log.format === "auto" ? (io.stderrIsTTY ? "pretty" : "json") : config.log.format;
  const logger = createLogger({
    level: config.log.level,
    format,
    destination: { write: (line: string) => void io.stderr.write(line) },
  });
  try {
    const bridge = await startBridge(config, { logger, signal: io.signal });
    try {
      const head = await bridge.log.head();
      logger.info(
        { source: bridge.source, log: locationText(config.feed), sequence: head.sequence },
        `serving the feed at ${bridge.url}/v1/events`,
      );
      await bridge.done;
    } finally {
      await bridge.stop();
    }
    logger.info("stopped; everything that was seen is in the log");
  } catch (error) {
    if (!io.signal.aborted) throw error;
    logger.info("stopped before Nomad answered");
  }
}
