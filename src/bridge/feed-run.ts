import type { Config } from "../config/config.ts";
import type { OptionValues } from "../config/options.ts";
import type { Reread } from "../config/reread.ts";
import type { FeedMount } from "../http/feeds/feed-mount.ts";
import { publicReason } from "../schemas/public-text.ts";
import type { ReloadReport } from "../schemas/reload-schema.ts";
import { Backoff } from "../shared/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBridge, type Bridge, type Serving } from "./bridge.ts";
import { depsOf, type BridgeOverrides, type SharedTelemetry } from "./overrides.ts";

/** One feed of a process that serves several. */
export interface Feed {
  readonly name: string;
  readonly config: Config;
  /** What `config` was made of; absent: its options never change. */
  readonly values?: OptionValues;
  readonly reread?: BridgeOverrides["reread"];
}

export interface FeedsOverrides extends Omit<BridgeOverrides, "reread" | "mount" | "telemetry"> {
  /** Told of each bridge that begins, also of those that follow one which failed. */
  readonly onBridge?: (feed: Feed, bridge: Bridge, logger: Logger) => void;
}

const FIRST_RETRY_MS = 1000;
const MOST_RETRY_MS = 60_000;
/** One that ran for so long failed for another reason than before. */
const RAN_WELL_MS = 60_000;

/** A feed that is kept running: one that cannot go on is begun anew, and the others do not notice. */
export class FeedRun {
  readonly #overrides: FeedsOverrides;
  readonly #telemetry: SharedTelemetry["process"];
  #feed: Feed;
  #serving: Serving | undefined;
  #anew = new AbortController();

  constructor(feed: Feed, overrides: FeedsOverrides, telemetry: SharedTelemetry["process"]) {
    this.#feed = feed;
    this.#overrides = overrides;
    this.#telemetry = telemetry;
  }

  /** As it was configured last. */
  get feed(): Feed {
    return this.#feed;
  }

  /** Ends what runs, and begins with this in its place, on the log that is named there. */
  beginAnew(feed: Feed): void {
    this.#feed = feed;
    this.#anew.abort(new Error("the feed begins anew"));
  }

  /**
   * Applies what needs no new beginning; undefined where the feed does not serve yet.
   */
  reload(by: string, feed: Feed, read: Reread): ReloadReport | undefined {
    const report = this.#serving?.reload(by, read);
    if (report !== undefined) this.#feed = feed;
    return report;
  }

  /** Until the signal aborts. Answers whether all that the feed saw is in its log. */
  async run(mount: FeedMount, signal: AbortSignal): Promise<boolean> {
    const { clock, random, loggers } = depsOf(this.#overrides);
    const backoff = new Backoff({ baseMs: FIRST_RETRY_MS, maxMs: MOST_RETRY_MS, random });
    for (;;) {
      const beganAtMs = clock.elapsed();
      this.#anew = new AbortController();
      const { signal: anew } = this.#anew;
      const until = AbortSignal.any([signal, anew]);
      try {
        const isWhole = await this.#runOnce(mount, until);
        if (signal.aborted) return isWhole;
      } catch (error) {
        // Told to stop before it served: it had seen nothing.
        if (signal.aborted) return true;
        if (!anew.aborted) {
          if (clock.elapsed() - beganAtMs > RAN_WELL_MS) backoff.reset();
          const waitMs = backoff.next(FIRST_RETRY_MS);
          mount.awaited = `it cannot go on: ${publicReason(error)}`;
          loggers.bridge.error(
            { feed: this.#feed.name, err: error, waitMs },
            "a feed cannot go on and is begun anew; the others go on",
          );
          await clock.sleep(waitMs, until);
        }
      }
      if (signal.aborted) return true;
      if (!anew.aborted) continue;
      backoff.reset();
      mount.awaited = "it begins anew with other options";
    }
  }

  async #runOnce(mount: FeedMount, signal: AbortSignal): Promise<boolean> {
    const { onBridge, ...rest } = this.#overrides;
    const feed = this.#feed;
    const logger = rest.logger.child({ feed: feed.name });
    const telemetry = { process: this.#telemetry, feed: feed.name };
    const { reread } = feed;
    const given = {
      ...rest,
      logger,
      mount,
      telemetry,
      ...(reread && { reread: () => this.#note(reread()) }),
    };
    const bridge = createBridge(feed.config, given);
    onBridge?.(feed, bridge, logger);
    void this.#noteServing(bridge, signal);
    try {
      return await bridge.run(signal);
    } finally {
      this.#serving = undefined;
    }
  }

  /** What this feed alone read again holds as well where it is begun anew. */
  #note(read: Reread): Reread {
    this.#feed = { ...this.#feed, config: { ...this.#feed.config, ...read.config } };
    return read;
  }

  async #noteServing(bridge: Bridge, signal: AbortSignal): Promise<void> {
    try {
      const serving = await bridge.serving;
      if (!signal.aborted) this.#serving = serving;
    } catch {
      // It ended before; `run` tells why.
    }
  }
}
