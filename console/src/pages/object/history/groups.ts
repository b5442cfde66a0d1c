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

/** A history told in few lines, oldest first. */
export function groupsOf(versions: readonly Version[]): Group[] {
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
