import { resolve } from "node:path";
import { feedLocation } from "../schemas/value-types.ts";
import type { Config } from "./config.ts";
import { ConfigInvalid } from "./errors.ts";
import { OWN_OPTIONS } from "./feed-options.ts";
import type { ConfigFile, FeedEntry, FileValue } from "./file.ts";
import { optionEnv, optionFlag, optionKey } from "./options.ts";
import { resolveOne, type ResolvedOne } from "./resolve-one.ts";
import { configFileOf, type Given } from "./sources.ts";

/** Of several feeds: what the process has once is alike in all of them, and `config` is the first one's. */
export interface ResolvedConfig extends ResolvedOne {
  /** Absent: the file has no `feeds:`, and there is one. */
  readonly feeds?: readonly ResolvedFeed[];
}

export interface ResolvedFeed extends ResolvedOne {
  readonly name: string;
}

/**
 * The whole configuration from flags, environment, file and defaults.
 * @throws ConfigInvalid naming every value that cannot be used, alone or beside the others.
 */
export function resolveConfig(given: Given): ResolvedConfig {
  const file = configFileOf(given);
  if (file?.feeds !== undefined) return resolveFeeds(given, file, file.feeds);
  const resolved = resolveOne(given, file);
  const files = resolved.config.regions === "all" ? filesOf(resolved.config) : [];
  if (files.length === 0) return resolved;
  throw new ConfigInvalid(
    files.map(
      ({ key }) => `${key}: with --regions all each region would write to it; name the regions in feeds:`,
    ),
  );
}

/** @throws ConfigInvalid where there are several feeds: what asks is about one. */
export function resolveSingle(given: Given): ResolvedOne {
  const { feeds, ...one } = resolveConfig(given);
  if (feeds === undefined) return one;
  throw new ConfigInvalid([
    "--config: the file has feeds, and this command is about one; allowed: a file without `feeds:`",
  ]);
}

function resolveFeeds(given: Given, file: ConfigFile, entries: readonly FeedEntry[]): ResolvedConfig {
  const problems = [...file.problems, ...ownFlags(given)];
  const feeds: ResolvedFeed[] = [];
  for (const entry of entries) {
    try {
      feeds.push({ name: entry.name, ...resolveOne(withoutOwn(given), fileFor(file, entry)) });
    } catch (error) {
      if (!(error instanceof ConfigInvalid)) throw error;
      problems.push(...error.problems.map((problem) => placed(problem, file, entry)));
    }
  }
  if (feeds.some(({ config }) => config.regions === "all")) {
    problems.push(
      `${file.path}: regions: all is for a file without feeds; name each region in an entry, with nomad-region`,
    );
  }
  if (problems.length === 0) problems.push(...sharedPlaces(feeds, entries, file));
  const [first] = feeds;
  if (problems.length > 0 || first === undefined) throw new ConfigInvalid([...new Set(problems)]);
  const { name: _, ...process } = first;
  const warnings = [...new Set([...unusedVariables(given), ...feeds.flatMap((feed) => feed.warnings)])];
  return { ...process, warnings, feeds };
}

/** What the entry says, then what the top of the file says for all, then what follows from its name. */
function fileFor(file: ConfigFile, { name, line, within, values, sections }: FeedEntry) {
  const fromName = (value: string): FileValue => ({ value, line, within });
  return {
    path: file.path,
    values: new Map([
      ["cluster", fromName(name)],
      ["feed", fromName(`sqlite:./nomad-changefeed-${name}.db`)],
      ...file.values,
      ...values,
    ]),
    sections: new Map([...file.sections, ...sections]),
    problems: [],
  };
}

function ownFlags({ flags }: Given): string[] {
  return OWN_OPTIONS.filter((name) => flags[name] !== undefined).map(
    (name) =>
      `${optionFlag(name)}: the file has feeds, and each has its own; allowed: \`${optionKey(name)}\` in the file`,
  );
}

function unusedVariables({ env }: Given): string[] {
  const unused = OWN_OPTIONS.map(optionEnv).filter((name) => (env[name] ?? "") !== "");
  return unused.map((name) => `the variable ${name} is not used: the file has feeds, and says it of each`);
}

function withoutOwn(given: Given): Given {
  const variables = new Set(OWN_OPTIONS.map(optionEnv));
  return {
    ...given,
    env: Object.fromEntries(Object.entries(given.env).filter(([name]) => !variables.has(name))),
  };
}

/** A sentence that has no place of its own gets the entry's. */
function placed(problem: string, { path }: ConfigFile, { line, within }: FeedEntry): string {
  const hasPlace =
    problem.includes(`${path}:`) || problem.includes("(flag ") || problem.includes("(environment ");
  return hasPlace ? problem : `${path}:${line}: ${within}: ${problem}`;
}

/** What two feeds would both write to, or listen at. */
function sharedPlaces(
  feeds: readonly ResolvedFeed[],
  entries: readonly FeedEntry[],
  { path }: ConfigFile,
): string[] {
  const taken = new Map<string, string>();
  return feeds.flatMap(({ name, config }, at) => {
    const { line = 0, within = "" } = entries[at] ?? {};
    return placesOf(config).flatMap(({ key, place, same = place }) => {
      const owner = taken.get(same);
      if (owner === undefined) {
        taken.set(same, name);
        return [];
      }
      return [
        `${path}:${line}: ${within}.${key}: ${place} is the feed "${owner}"'s too; allowed: one of its own`,
      ];
    });
  });
}

interface SharedPlace {
  readonly key: string;
  /** As it is spelled. */
  readonly place: string;
  /** However it is spelled; absent: as `place`. */
  readonly same?: string;
}

function pathAt(key: string, place: string): SharedPlace {
  return { key, place, same: resolve(place) };
}

/** Files that destinations write. */
function filesOf({ destinations }: Pick<Config, "destinations">): SharedPlace[] {
  return destinations.flatMap(({ name, settings }) => {
    const key = `destinations.${name}`;
    if (settings.type === "file") return [pathAt(key, settings.path)];
    return settings.type === "audit" && settings.directory !== undefined
      ? [pathAt(key, settings.directory)]
      : [];
  });
}

function placesOf(config: Config): SharedPlace[] {
  const { feed, compat, recordFrames } = config;
  return [
    feed.kind === "sqlite" ? pathAt("feed", feed.path) : { key: "feed", place: feedLocation().print(feed) },
    ...(recordFrames === undefined ? [] : [pathAt("record-frames", recordFrames.path)]),
    ...(compat === undefined
      ? []
      : [
          pathAt("compat-log", compat.log.path),
          ...(compat.listen.port === 0
            ? []
            : [{ key: "compat-listen", place: `${compat.listen.host}:${compat.listen.port}` }]),
        ]),
    ...filesOf(config),
  ];
}
