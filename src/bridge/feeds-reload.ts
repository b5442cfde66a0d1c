import { isOfProcess } from "../config/feed-options.ts";
import { optionFlag } from "../config/options.ts";
import { changedOptions } from "../config/reread.ts";
import { feedsReloadText, type FeedsReloadReport, type ReloadReport } from "../schemas/reload-schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Feed } from "./feed-run.ts";
import type { FeedSet } from "./feed-set.ts";
import { readAnew } from "./reload.ts";

/** The feeds as they would be if the process started now. */
export interface RereadFeeds {
  readonly file: string;
  readonly feeds: readonly Feed[];
}

interface FeedsReloadDeps {
  /** One of those that the process was started with: what it has once is in each of them. */
  readonly started: Feed;
  /** @throws ConfigInvalid */
  readonly reread: (() => RereadFeeds) | undefined;
  readonly logger: Logger;
}

type Changes = Record<"added" | "removed" | "restarted", string[]> & {
  applied: Record<string, ReloadReport>;
};

/**
 * Makes the feeds of a process those of the file: begins those that came, ends those that are gone, begins anew those
 * with other options, and applies the rest to what runs. The others do not notice. @throws ReloadRefused
 */
export function reloadFeeds(
  set: FeedSet,
  by: string,
  { started, reread, logger }: FeedsReloadDeps,
): FeedsReloadReport {
  const { file, feeds } = readAnew(reread, by, logger);
  const changes: Changes = { added: [], removed: [], restarted: [], applied: {} };
  const names = new Set(feeds.map(({ name }) => name));
  for (const { feed } of set.runs()) {
    if (names.has(feed.name)) continue;
    changes.removed.push(feed.name);
    logger.warn(
      { feed: feed.name },
      `the feed ${feed.name} is not in ${file} any more and ends; its log stays`,
    );
    set.end(feed.name, "it was taken out of the configuration file; its log stays");
  }
  for (const feed of feeds) change(set, feed, { by, file, changes });
  const needRestart = flagsOf(changedOptions(started.values, feeds[0]?.values).filter(isOfProcess));
  const report = { file, ...changes, needRestart };
  logger.info({ by, ...report }, `applied ${file}: ${feedsReloadText(report)}`);
  return report;
}

function change(
  set: FeedSet,
  feed: Feed,
  { by, file, changes }: { by: string; file: string; changes: Changes },
): void {
  const run = set.get(feed.name);
  if (run === undefined) {
    changes.added.push(feed.name);
    set.begin(feed);
    return;
  }
  const isOther = changedOptions(run.feed.values, feed.values).some((name) => !isOfProcess(name));
  const report = isOther ? undefined : run.reload(by, feed, { file, config: feed.config, needRestart: [] });
  if (report !== undefined) changes.applied[feed.name] = report;
  else if (isOther || isConfiguredOtherwise(run.feed, feed)) {
    changes.restarted.push(feed.name);
    run.beginAnew(feed);
  }
}

/** Of one that does not serve yet: whatever is other now, it begins with it. */
export function isConfiguredOtherwise(before: Feed, after: Feed): boolean {
  return JSON.stringify(before.config) !== JSON.stringify(after.config);
}

function flagsOf(names: ReturnType<typeof changedOptions>): string[] {
  return names.map(optionFlag);
}
