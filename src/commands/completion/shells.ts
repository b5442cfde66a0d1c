import type { Flag, Place } from "./places.ts";

/** What several places offer alike, with all of them: shells are told it once. */
export interface Shared<Thing> {
  readonly thing: Thing;
  readonly paths: readonly string[];
}

/** Flags of all places; those that are the same are together. */
export function sharedFlags(places: readonly Place[]): Shared<Flag>[] {
  return gathered(places.flatMap(({ path, flags }) => flags.map((thing) => ({ thing, path }))));
}

/** The names of all flags that take a value, whatever the command: none is a switch elsewhere. */
export function valueFlags(places: readonly Place[]): string[] {
  const names = places.flatMap(({ flags }) => flags.flatMap(({ name, value }) => (value ? [name] : [])));
  return [...new Set(names)].toSorted();
}

function gathered<Thing>(all: readonly { thing: Thing; path: string }[]): Shared<Thing>[] {
  const byText = Map.groupBy(all, ({ thing }) => JSON.stringify(thing));
  return [...byText.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ thing: first.thing, paths: [first, ...others].map(({ path }) => path) }],
  );
}
