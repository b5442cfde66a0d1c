import type { Config } from "./config.ts";
import { ConfigInvalid } from "./errors.ts";
import { OPTION_NAMES, optionFlag } from "./options.ts";
import { resolveConfig } from "./resolve.ts";
import type { ResolvedOne } from "./resolve-one.ts";
import type { Given } from "./sources.ts";

/** The configuration as it would be if the process started now. */
export interface Reread {
  readonly file: string;
  readonly config: Pick<Config, "destinations" | "alertDestinations" | "redaction" | "alerts" | "routes">;
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
    const changed = OPTION_NAMES.filter(
      (name) => JSON.stringify(values[name]) !== JSON.stringify(started.values[name]),
    );
    return { file, config, needRestart: changed.map(optionFlag) };
  };
}

function ofFeed(given: Given, file: string, name: string | undefined): ResolvedOne {
  const resolved = resolveConfig(given);
  const found = name === undefined ? resolved : resolved.feeds?.find((feed) => feed.name === name);
  if (found !== undefined && (name !== undefined || resolved.feeds === undefined)) return found;
  throw new ConfigInvalid([`${file}: other feeds than at the start need a restart`]);
}
