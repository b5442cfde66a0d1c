import type { Config } from "./config.ts";
import { OPTION_NAMES, optionFlag } from "./options.ts";
import { resolveConfig, type ResolvedConfig } from "./resolve.ts";
import type { Given } from "./sources.ts";

/** The configuration as it would be if the process started now. */
export interface Reread {
  readonly file: string;
  readonly config: Pick<Config, "destinations" | "alertDestinations" | "redaction" | "alerts" | "routes">;
  /** Flags of options that have another value than at the start. */
  readonly needRestart: readonly string[];
}

/** Reads the file again, with the flags and variables of the start; undefined where there is no file. */
export function rereader(started: ResolvedConfig, given: Given): (() => Reread) | undefined {
  const file = started.values.config;
  if (file === undefined) return undefined;
  return () => {
    const { config, values } = resolveConfig(given);
    const changed = OPTION_NAMES.filter(
      (name) => JSON.stringify(values[name]) !== JSON.stringify(started.values[name]),
    );
    return { file, config, needRestart: changed.map(optionFlag) };
  };
}
