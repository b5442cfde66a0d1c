import type { Version } from "../versions.ts";

/** Events of the same kind that followed each other, told as one. */
export interface Group {
  readonly what: string;
  /** That of the last of them. */
  readonly detail: string;
  /** Oldest first; at least one. */
  readonly versions: readonly [Version, ...Version[]];
  /** Only indexes and times moved. */
  readonly isQuiet: boolean;
}

/** The same, but what came after an event is told apart from what led to it; -1: after none. */
export function groupsAround(versions: readonly Version[], at: number): { before: Group[]; later: Group[] } {
  return at === -1
    ? { before: groupsOf(versions), later: [] }
    : { before: groupsOf(versions.slice(0, at + 1)), later: groupsOf(versions.slice(at + 1)) };
}

/** A history told in few lines, oldest first. */
function groupsOf(versions: readonly Version[]): Group[] {
  const groups: Group[] = [];
  for (const version of versions) {
    const { what, detail, signals } = version.facts;
    const isQuiet = signals.length === 0 && detail === "bookkeeping only";
    const last = groups.at(-1);
    const isSame = last !== undefined && last.what === what && last.isQuiet === isQuiet;
    const before = isSame ? last.versions : undefined;
    if (before !== undefined) groups.pop();
    groups.push({ what, detail, isQuiet, versions: before === undefined ? [version] : [...before, version] });
  }
  return groups;
}
