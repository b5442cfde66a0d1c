import type { Config } from "./config.ts";
import { ConfigInvalid } from "./errors.ts";
import { OPTION_NAMES, optionFlag, type OptionName, type OptionValues } from "./options.ts";
import { resolveConfig, type ResolvedFeed } from "./resolve.ts";
import type { ResolvedOne } from "./resolve-one.ts";
import type { Given } from "./sources.ts";

/** What a reload applies to what runs. */
export type Reloadable = Pick<
  Config,
  "destinations" | "alertDestinations" | "redaction" | "alerts" | "routes"
>;

/** The configuration as it would be if the process started now. */
export interface Reread {
  readonly file: string;
  readonly config: Reloadable;
  /** Flags of options that have another value than at the start. */
  readonly needRestart: readonly string[];
}

/**
 * Reads the file again, with the flags and variables of the start; undefined where there is no file. `feed`: which of
 * its feeds is meant, where it has several.
 */
export function rereader(started: ResolvedOne, given: Given, feed?: string): (() => Reread) | undefined {
  const file = started.values.config;
  if (file === undefined) return undefined;
  return () => {
    const { config, values } = ofFeed(given, file, feed);
    return {
      file,
      config: reloadableOf(config),
      needRestart: changedOptions(started.values, values).map(optionFlag),
    };
  };
}

function reloadableOf({ destinations, alertDestinations, redaction, alerts, routes }: Config): Reloadable {
  return { destinations, alertDestinations, redaction, alerts, routes };
}

/** The feeds of the file as it is now, with the flags and variables of the start. @throws ConfigInvalid */
export function rereadFeeds(given: Given, file: string): readonly ResolvedFeed[] {
  const { feeds } = resolveConfig(given);
  if (feeds !== undefined) return feeds;
  throw new ConfigInvalid([
    `${file}: the file has no feeds any more; one feed in place of several needs a restart`,
  ]);
}

/** Options that have another value in the second. */
export function changedOptions(before?: OptionValues, after?: OptionValues): readonly OptionName[] {
  return OPTION_NAMES.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
}

function ofFeed(given: Given, file: string, name: string | undefined): ResolvedOne {
  const resolved = resolveConfig(given);
  const found = name === undefined ? resolved : resolved.feeds?.find((feed) => feed.name === name);
  if (found !== undefined && (name !== undefined || resolved.feeds === undefined)) return found;
  throw new ConfigInvalid([
    name === undefined
      ? `${file}: feeds in place of one need a restart`
      : `${file}: the file has no feed "${name}" any more; a reload of the whole process ends it`,
  ]);
}
